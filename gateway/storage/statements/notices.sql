-- Notices: the outbox that other transactions write to, what is sent of it, and who wants it.

-- name: tell
-- Stores a notice, unless one of the same event and word ($4) is there, and owes it to the account's URLs that asked for the
-- event ($5: whether it is for the account); its id. What a disabled URL misses is dead at once, and can be replayed.
WITH told AS (
    INSERT INTO notices (event, account_id, facts, once, told_at_ms)
    VALUES ($1, $2, $3::jsonb, $4, (extract(epoch FROM clock_timestamp()) * 1000)::bigint)
    ON CONFLICT (event, once) DO NOTHING RETURNING notice_id, told_at_ms
), owed AS (
    INSERT INTO webhook_deliveries (account_id, endpoint_id, lane, message_id, event, at_ms, state, due_at_ms, give_up_at_ms)
    SELECT e.account_id, e.endpoint_id, 'endpoint ' || e.endpoint_id, told.notice_id, $1, told.told_at_ms,
           CASE e.state WHEN 'active' THEN 'due' ELSE 'dead' END, told.told_at_ms, told.told_at_ms + 345600000 -- 96 h
      FROM told JOIN webhook_endpoints e ON e.account_id = $2 AND $1 = ANY (e.events) AND e.state <> 'removed'
     WHERE $5
)
SELECT notice_id FROM told;
