-- Binds of logins over several nodes.

-- name: lock_binds
-- Lets one node at a time decide about a login's binds. What is decided need not survive PostgreSQL: binds do not either.
SELECT pg_advisory_xact_lock(70611, $1), set_config('synchronous_commit', 'off', true);

-- name: claim_bind
-- Stores that this node has so many binds of a login, the new one counted, if the binds on living nodes leave room for it.
-- $1: login; $2: node, $3: its epoch; $4: transmitters, $5: receivers, $6: transceivers here; $7: the new one's type, 0 to 2;
-- $8: binds at most; $9: of this type at most; $10: seconds of a lease.
WITH elsewhere AS (
    SELECT coalesce(sum(b.transmitters + b.receivers + b.transceivers), 0) AS binds,
           coalesce(sum((ARRAY[b.transmitters, b.receivers, b.transceivers])[$7::integer + 1]), 0) AS alike
    FROM esme_binds b JOIN nodes n ON n.node_id = b.node_id AND n.epoch = b.epoch
    WHERE b.esme_id = $1 AND b.node_id <> $2 AND n.seen_at > clock_timestamp() - make_interval(secs => $10)
)
INSERT INTO esme_binds (esme_id, node_id, epoch, transmitters, receivers, transceivers)
SELECT $1, $2, $3, $4, $5, $6 FROM elsewhere
WHERE binds + $4::integer + $5::integer + $6::integer <= $8
  AND alike + (ARRAY[$4::integer, $5::integer, $6::integer])[$7::integer + 1] <= $9
ON CONFLICT (esme_id, node_id) DO UPDATE SET epoch = excluded.epoch, transmitters = excluded.transmitters,
    receivers = excluded.receivers, transceivers = excluded.transceivers
RETURNING 1;

-- name: tell_binds
-- Stores how many binds logins have on this node now; a former life of it tells nothing any more.
INSERT INTO esme_binds (esme_id, node_id, epoch, transmitters, receivers, transceivers)
SELECT t.esme_id, $1, $2, t.transmitters, t.receivers, t.transceivers
FROM unnest($3::integer[], $4::integer[], $5::integer[], $6::integer[]) AS t (esme_id, transmitters, receivers, transceivers)
ON CONFLICT (esme_id, node_id) DO UPDATE SET epoch = excluded.epoch, transmitters = excluded.transmitters,
    receivers = excluded.receivers, transceivers = excluded.transceivers
WHERE esme_binds.epoch <= excluded.epoch;
