-- Several nodes over one database: leases, spans of messages, and taking a dead node's over.

-- name: open_span
-- Begins the span of a node's new ids where its last one was closed; nothing when one grows already.
INSERT INTO held_spans (of_node, from_id, until_id, holder_node)
SELECT $1, coalesce((SELECT max(until_id) FROM held_spans WHERE of_node = $1), 0), 9223372036854775807, $1
WHERE NOT EXISTS (SELECT FROM held_spans WHERE of_node = $1 AND until_id = 9223372036854775807);

-- name: span_of
-- The span of a node's new ids.
SELECT span_id, from_id FROM held_spans WHERE of_node = $1 AND until_id = 9223372036854775807;

-- name: renew_lease
-- Says that a node lives, and reads how its neighbours do. renewed is 0 once another process took this node's place. inherits:
-- whether it could take another's messages over; a process of the HTTP API never does.
WITH mine AS (UPDATE nodes SET seen_at = clock_timestamp() WHERE node_id = $1 AND epoch = $2 RETURNING 1)
SELECT (SELECT count(*) FROM mine) AS renewed, n.node_id, n.name, n.epoch,
       coalesce(extract(epoch FROM clock_timestamp() - n.seen_at), 1e9)::float8 AS unseen_s,
       EXISTS (SELECT FROM held_spans s WHERE s.holder_node = n.node_id AND s.until_id = 9223372036854775807) AS holds,
       n.kind = 'node' AS inherits
FROM nodes n;

-- name: lock_pair
-- Locks a node that looks dead and the one that would take it over, in one order whoever asks.
SELECT node_id, epoch, owed_from_id, swept_until_ms,
       coalesce(extract(epoch FROM clock_timestamp() - seen_at), 1e9)::float8 AS unseen_s
FROM nodes WHERE node_id = $1 OR node_id = $2 ORDER BY node_id FOR UPDATE;

-- name: raise_epoch
-- Fences a dead node: from here on its streams commit nothing. Waits for a batch that is being committed.
WITH raised AS (UPDATE nodes SET epoch = epoch + 1 WHERE node_id = $1 RETURNING epoch)
UPDATE node_streams s SET epoch = raised.epoch FROM raised WHERE s.node_id = $1 RETURNING s.last_id;

-- name: take_spans
-- Gives a dead node's spans to its heir; what grew ends at $3.
UPDATE held_spans SET holder_node = $2, until_id = least(until_id, $3::bigint) WHERE holder_node = $1
RETURNING from_id;

-- name: take_journals
-- Gives a dead node's open attempts to its heir, under numbers of the heir's. $3: theirs, $4: ours.
UPDATE open_attempts o SET node_id = $2, batch_id = n.ours FROM unnest($3::bigint[], $4::bigint[]) AS n (theirs, ours)
WHERE o.node_id = $1 AND o.batch_id = n.theirs;

-- name: take_marks
-- The heir's queues begin where the dead node's did, if that is earlier.
INSERT INTO connector_marks (node_id, connector_id, lane, queued_from_id)
SELECT $2, connector_id, lane, queued_from_id FROM connector_marks WHERE node_id = $1
ON CONFLICT (node_id, connector_id, lane) DO UPDATE
    SET queued_from_id = least(connector_marks.queued_from_id, excluded.queued_from_id);

-- name: take_sweeps
-- The heir looks for ends of validity and owed receipts from where the dead node would have. $2: owed from, $3: swept until.
UPDATE nodes SET owed_from_id = least(owed_from_id, $2), swept_until_ms = least(swept_until_ms, $3) WHERE node_id = $1;

-- name: spans_held
-- The spans that a node holds.
SELECT span_id, of_node, from_id, until_id FROM held_spans WHERE holder_node = $1 ORDER BY span_id;

-- name: hand_notifications_over
-- Hands what this node owes to ESMEs that are not bound here to a living node where they are; wakes the nodes by the channel
-- of inbound messages. $2: ESMEs with a receiving bind here; $3: messages that memory holds for a later try; $4: how many;
-- $5: how many seconds a lease lasts.
WITH elsewhere AS (
    SELECT DISTINCT ON (e.esme_id) e.esme_id, s.span_id
    FROM nodes n
    JOIN held_spans s ON s.of_node = n.node_id AND s.holder_node = n.node_id AND s.until_id = 9223372036854775807
    CROSS JOIN LATERAL jsonb_array_elements(n.live -> 'binds') AS b (told)
    JOIN esmes e ON e.system_id = b.told ->> 'name'
    WHERE n.node_id <> $1 AND n.seen_at > clock_timestamp() - make_interval(secs => $5)
      AND b.told ->> 'side' = 'esme' AND b.told ->> 'bind_type' IN ('receiver', 'transceiver') AND e.esme_id <> ALL ($2::integer[])
    ORDER BY e.esme_id, s.span_id
), owed AS (
    SELECT w.esme_id, w.message_id, elsewhere.span_id FROM waiting_notifications w JOIN elsewhere USING (esme_id)
    WHERE w.message_id <> ALL ($3::bigint[])
      AND (SELECT s.holder_node FROM held_spans s WHERE CASE w.handed_to
        WHEN 0 THEN s.of_node = (w.message_id >> 14) & 63 AND w.message_id >= s.from_id AND w.message_id < s.until_id
        ELSE s.span_id = w.handed_to END) = $1
    ORDER BY w.message_id LIMIT $4
), handed AS (
    UPDATE waiting_notifications w SET handed_to = owed.span_id FROM owed
    WHERE w.esme_id = owed.esme_id AND w.message_id = owed.message_id RETURNING w.esme_id
), woken AS (
    SELECT pg_notify('passerelle_inbound', esme_id::text) FROM (SELECT DISTINCT esme_id FROM handed) AS each
)
SELECT (SELECT count(*) FROM handed) AS handed, (SELECT count(*) FROM woken) AS woken;

-- name: tell_reach
-- What a living node says of its connectors: how many binds of each take messages there, and how many it configures.
-- $3: all its connectors.
WITH mine AS (
    SELECT node_id FROM nodes WHERE node_id = $1 AND epoch = $2
), gone AS (
    DELETE FROM connector_reach r USING mine WHERE r.node_id = mine.node_id AND r.connector_id <> ALL ($3::smallint[])
)
INSERT INTO connector_reach (node_id, connector_id, epoch, bound, binds)
SELECT mine.node_id, told.connector_id, $2, told.bound, told.binds
FROM mine, unnest($3::smallint[], $4::smallint[], $5::smallint[]) AS told (connector_id, bound, binds)
ON CONFLICT (node_id, connector_id) DO UPDATE SET epoch = excluded.epoch, bound = excluded.bound, binds = excluded.binds;

-- name: reach
-- What the other nodes said of their connectors, whether they live ($2: how many seconds a lease lasts), and the newest span
-- of each: whoever holds it takes what is handed to it.
SELECT r.connector_id, r.node_id, r.bound, r.binds, n.epoch = r.epoch AND n.seen_at > clock_timestamp() - make_interval(secs => $2) AS alive,
       coalesce(extract(epoch FROM clock_timestamp() - n.seen_at), 1e9)::float8 AS unseen_s,
       (SELECT s.span_id FROM held_spans s WHERE s.of_node = r.node_id ORDER BY s.until_id DESC LIMIT 1) AS span_id
FROM connector_reach r JOIN nodes n USING (node_id) WHERE r.node_id <> $1 ORDER BY r.node_id, r.connector_id;

-- name: handed_over_to
-- Queues that got messages in spans which this node holds.
SELECT h.hand_over_id, h.connector_id, h.lane, h.account_id, h.from_id FROM handed_over h JOIN held_spans s USING (span_id)
WHERE s.holder_node = $1 ORDER BY h.hand_over_id LIMIT $2;

-- name: take_handed_over
-- Forgets what memory knows from here on: this node's marks are below those messages. A node that was taken over forgets nothing.
WITH mine AS (
    SELECT node_id FROM nodes WHERE node_id = $1 AND epoch = $2 FOR SHARE
), taken AS (
    DELETE FROM handed_over h USING mine WHERE h.hand_over_id = ANY ($3::bigint[]) RETURNING h.connector_id, h.lane, h.from_id
)
INSERT INTO connector_marks (node_id, connector_id, lane, queued_from_id)
SELECT $1, connector_id, lane, min(from_id) FROM taken GROUP BY connector_id, lane
ON CONFLICT (node_id, connector_id, lane) DO UPDATE
    SET queued_from_id = least(connector_marks.queued_from_id, excluded.queued_from_id);

-- name: bind_owners
-- Who holds which bind, and whether by a life that goes on: a newer epoch fenced the older.
SELECT b.connector_id, b.bind_no, b.node_id, b.epoch = n.epoch AS is_held FROM bind_owners b JOIN nodes n USING (node_id);

-- name: take_binds
-- Takes binds that are nobody's, or were left by a life that was fenced. An epoch only grows: what looks newer than this
-- statement's nodes is somebody's.
INSERT INTO bind_owners (connector_id, bind_no, node_id, epoch)
SELECT wanted.connector_id, wanted.bind_no, n.node_id, n.epoch
FROM nodes n, unnest($3::smallint[], $4::smallint[]) AS wanted (connector_id, bind_no)
WHERE n.node_id = $1 AND n.epoch = $2 ORDER BY 1, 2
ON CONFLICT (connector_id, bind_no) DO UPDATE SET node_id = excluded.node_id, epoch = excluded.epoch
    WHERE EXISTS (SELECT FROM nodes n WHERE n.node_id = bind_owners.node_id AND n.epoch > bind_owners.epoch)
RETURNING connector_id, bind_no;

-- name: give_binds_back
-- Binds whose links have ended are nobody's.
DELETE FROM bind_owners b USING unnest($3::smallint[], $4::smallint[]) AS ended (connector_id, bind_no)
WHERE b.node_id = $1 AND b.epoch = $2 AND b.connector_id = ended.connector_id AND b.bind_no = ended.bind_no;

-- name: leave
-- A node that ended in order: its neighbours need not wait for the end of its lease. $3: how many seconds one lasts.
UPDATE nodes SET seen_at = clock_timestamp() - make_interval(secs => 2 * $3), left_at = clock_timestamp()
 WHERE node_id = $1 AND epoch = $2;
