-- What consoles are told: changes of state noted as events, and events in an order to follow.

-- name: lock_console
-- One notes at a time, over all processes.
SELECT pg_try_advisory_xact_lock(7063, 3);

-- name: lock_console_state
-- Nobody else changes a row meanwhile, in whatever order he would.
LOCK TABLE console_state IN SHARE ROW EXCLUSIVE MODE;

-- name: note_changes
-- Compares how all stands with what was told last; each difference becomes an event and what was told last. $1: seconds after
-- which a silent node is dead; $2: now; $3: whether queues are looked at, too.
WITH alive AS (
    SELECT n.node_id, n.name, n.epoch, n.live, coalesce(n.seen_at >= clock_timestamp() - make_interval(secs => $1), false) AS is_alive
      FROM nodes n WHERE n.kind = 'node' AND n.epoch > 0
), queues AS (
    SELECT q.told ->> 'connector' AS name, sum((q.told ->> 'queued')::bigint) AS queued, sum((q.told ->> 'open')::bigint) AS open,
           sum((q.told ->> 'awaiting_receipt')::bigint) AS awaiting, max((q.told ->> 'oldest_ms')::bigint) / 1000 AS oldest_s
      FROM alive CROSS JOIN LATERAL jsonb_array_elements(CASE jsonb_typeof(alive.live -> 'queues') WHEN 'array' THEN alive.live -> 'queues' ELSE '[]' END) AS q (told)
     WHERE $3 AND alive.is_alive GROUP BY 1
), seen (kind, subject, told) AS (
    SELECT 'node', name, jsonb_build_object('alive', is_alive) FROM alive
    UNION ALL
    SELECT 'connector', c.name, jsonb_build_object('bound', sum(CASE WHEN a.is_alive AND a.epoch = r.epoch THEN r.bound ELSE 0 END),
                                                   'binds', sum(r.binds))
      FROM connector_reach r JOIN connectors c USING (connector_id) JOIN alive a USING (node_id) GROUP BY c.name
    UNION ALL
    SELECT 'queue', name, jsonb_build_object('queued', queued, 'open', open, 'awaiting_receipt', awaiting, 'oldest_s', oldest_s) FROM queues
), changed AS (
    SELECT s.* FROM seen s LEFT JOIN console_state c USING (kind, subject) WHERE c.told IS DISTINCT FROM s.told
), kept AS (
    INSERT INTO console_state (kind, subject, told) SELECT kind, subject, told FROM changed
    ON CONFLICT (kind, subject) DO UPDATE SET told = excluded.told
)
INSERT INTO console_events (event, at_ms, data)
SELECT kind || '.changed', $2, jsonb_build_object('name', subject) || told FROM changed ORDER BY kind, subject;

-- name: note_event
-- One event more, in the transaction of what happened.
INSERT INTO console_events (event, at_ms, data) VALUES ($1, $2, $3::jsonb);

-- name: follow_console
-- The next events after a place that nothing can come before any more.
SELECT changed_xact::text, event_id, event, at_ms, data::text FROM console_events
 WHERE (changed_xact, event_id) > ($1::text::xid8, $2) AND changed_xact < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY changed_xact, event_id LIMIT $3;

-- name: console_state
-- How all stood when it was told last.
SELECT kind || '.changed' AS event, (jsonb_build_object('name', subject) || told)::text AS data FROM console_state ORDER BY kind, subject;

-- name: forget_console
-- Events older than a time.
DELETE FROM console_events WHERE at_ms < $1;

-- name: sessions_in_force
-- Which of these sessions still open something, and the role of their users.
SELECT s.session_id, u.role FROM user_sessions s JOIN users u USING (user_id) LEFT JOIN accounts a ON a.account_id = u.account_id
 WHERE s.session_id = ANY ($1::bigint[]) AND s.ended_at IS NULL AND s.expires_at > now()
   AND s.seen_at > now() - make_interval(secs => s.idle_s) AND u.state = 'active' AND coalesce(a.state, 'active') = 'active';
