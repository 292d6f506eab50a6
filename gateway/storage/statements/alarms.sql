-- Alarms: what the rows show of what is wrong, and the alarms that stand and stood.

-- name: observe
-- What is wrong by what nodes tell and rows say: kind, subject, detail. $1: seconds after which a silent node is dead; $2: how
-- many milliseconds a message may wait in a queue; $3, $4: from which hour to which carriers should have sent receipts, $5: of how
-- many messages.
SELECT 'node_dead' AS kind, n.name AS subject, '' AS detail FROM nodes n
 WHERE n.kind = 'node' AND n.epoch > 0 AND n.seen_at < clock_timestamp() - make_interval(secs => $1)
   AND EXISTS (SELECT FROM held_spans s WHERE s.holder_node = n.node_id)
UNION ALL
SELECT CASE WHEN sum(r.bound) = 0 THEN 'connector_down' ELSE 'binds_missing' END, c.name, sum(r.bound) || '/' || sum(r.binds)
  FROM connector_reach r JOIN connectors c USING (connector_id)
  JOIN nodes n ON n.node_id = r.node_id AND n.epoch = r.epoch AND n.seen_at >= clock_timestamp() - make_interval(secs => $1)
 GROUP BY c.name HAVING sum(r.bound) < sum(r.binds)
UNION ALL
SELECT 'queue_old', q.told ->> 'connector', max((q.told ->> 'oldest_ms')::bigint) / 1000 || ' s'
  FROM nodes n CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(n.live -> 'queues') WHEN 'array' THEN n.live -> 'queues' ELSE '[]' END) AS q (told)
 WHERE n.seen_at >= clock_timestamp() - make_interval(secs => $1) AND (q.told ->> 'oldest_ms')::bigint > $2
 GROUP BY q.told ->> 'connector'
UNION ALL
SELECT 'webhook_disabled', e.endpoint_id::text, a.name FROM webhook_endpoints e JOIN accounts a USING (account_id)
 WHERE e.state = 'disabled' AND e.why NOT LIKE 'disabled by%'
UNION ALL
SELECT 'no_receipts', c.name, sum(h.submitted)::text
  FROM statistics_hours h JOIN connectors c ON c.connector_id = h.connector_id
 WHERE h.hour_ms >= $3 AND h.hour_ms < $4
 GROUP BY c.name HAVING sum(h.submitted) >= $5::bigint AND sum(h.delivered + h.undeliverable + h.rejected) = 0;

-- name: lock_alarms
-- One watches at a time, over all processes.
SELECT pg_try_advisory_xact_lock(7063, 2);

-- name: standing_alarms
-- Those that stand.
SELECT kind, subject FROM alarms WHERE cleared_at_ms = 0;

-- name: raise_alarm
-- One more that stands; nothing where it does already.
INSERT INTO alarms (kind, subject, severity, detail, raised_at_ms) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (kind, subject) WHERE cleared_at_ms = 0 DO NOTHING RETURNING alarm_id;

-- name: clear_alarm
-- It stands no longer.
UPDATE alarms SET cleared_at_ms = $3 WHERE kind = $1 AND subject = $2 AND cleared_at_ms = 0 RETURNING detail;

-- name: list_alarms
-- Newest first, below an id: those that stand ($2 true), those that stood (false), or all; of a kind ($3), or of all.
SELECT * FROM alarms WHERE alarm_id < $1 AND ($2::boolean IS NULL OR (cleared_at_ms = 0) = $2) AND ($3::text IS NULL OR kind = $3)
 ORDER BY alarm_id DESC LIMIT $4;

-- name: acknowledge_alarm
-- Somebody knows of it; what it was before. No row: there is none of this number.
UPDATE alarms a SET acknowledged_by = $2, acknowledged_at_ms = $3, note = $4
  FROM (SELECT * FROM alarms WHERE alarm_id = $1 FOR UPDATE) AS former
 WHERE a.alarm_id = former.alarm_id RETURNING a.*, former.acknowledged_by AS former_by, former.note AS former_note;
