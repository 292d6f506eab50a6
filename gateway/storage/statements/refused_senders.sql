-- name: disable_senders
-- Leaves carriers out for senders that they refused again and again; what stands already stays as it is.
INSERT INTO refused_senders (connector_id, sender, status, since_ms)
SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[], $4::bigint[])
ON CONFLICT (connector_id, sender) DO NOTHING;

-- name: load_refused_senders
-- Every pair of a carrier and a sender that it is not to be asked for.
SELECT connector_id, sender FROM refused_senders ORDER BY connector_id, sender;

-- name: allow_sender
-- Lets a sender go over a carrier again; no row when the pair was not disabled.
DELETE FROM refused_senders WHERE connector_id = $1 AND sender = $2 RETURNING status;
