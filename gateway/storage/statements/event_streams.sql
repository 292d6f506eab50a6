-- Event streams: the feeds of many accounts read at once, and who may go on listening.

-- name: feed_edge
-- The place at which an account's feed goes on from now: nothing that comes later is before it.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text;

-- name: follow_feeds
-- The next events of each account ($1) after its place ($2 transaction, $3 number), at most $4 of each, that nothing can come
-- before any more.
WITH edge AS MATERIALIZED (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS xact)
SELECT f.account_id, e.xact, e.event_id, e.message_id, e.event, e.at_ms
  FROM unnest($1::integer[], $2::text[], $3::bigint[]) AS f (account_id, xact, event_id)
 CROSS JOIN LATERAL (
    SELECT a.changed_xact::text AS xact, a.event_id, a.message_id, a.event, a.at_ms FROM account_events a
     WHERE a.account_id = f.account_id AND (a.changed_xact, a.event_id) > (f.xact::xid8, f.event_id)
       AND a.changed_xact < (SELECT edge.xact FROM edge)
     ORDER BY a.changed_xact, a.event_id LIMIT $4) e;

-- name: keep_streamed
-- Keeps what is accepted and submitted of these accounts for $2 seconds more; touches nobody who is kept for nearly as long.
UPDATE accounts SET streamed_until = now() + make_interval(secs => $2)
 WHERE account_id = ANY ($1::integer[]) AND coalesce(streamed_until < now() + make_interval(secs => $2::float8 * 0.9), true);

-- name: keys_in_force
-- Which of these keys still open something, from where, and what they may; the account must not be suspended or closed.
SELECT k.key_id, k.allow_cidrs, k.scopes, a.state FROM api_keys k JOIN accounts a USING (account_id)
 WHERE k.key_id = ANY ($1::integer[]) AND k.revoked_at IS NULL AND coalesce(k.expires_at > now(), true);
