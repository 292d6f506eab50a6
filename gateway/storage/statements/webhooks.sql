-- Webhooks: endpoints, events of an account in the order of their commits, deliveries and their tries.

-- name: load_told_events
-- Which events of which accounts are told to URLs or kept for their readers.
SELECT account_id, array_agg(DISTINCT event ORDER BY event) FROM (
    SELECT account_id, unnest(events) AS event FROM webhook_endpoints WHERE state <> 'removed'
    UNION ALL
    SELECT account_id, unnest(ARRAY['message.delivered', 'message.undeliverable', 'message.rejected', 'message.expired',
                                    'message.deleted', 'message.unknown', 'inbound.received'])
      FROM accounts WHERE keeps_events
    UNION ALL
    SELECT account_id, 'message.submitted' FROM accounts WHERE streamed_until > now()) told
 GROUP BY account_id ORDER BY account_id;

-- name: owe_events
-- What happened, in the transaction that stores it: for readers of the account ($5), for its endpoints ($5), and for the
-- URL that the message itself named ($6 to $8). What a disabled endpoint misses is dead at once, and can be replayed.
WITH happened AS (
    SELECT * FROM unnest($1::integer[], $2::bigint[], $3::text[], $4::bigint[], $5::boolean[], $6::text[], $7::text[], $8::text[])
        AS t (account_id, message_id, event, at_ms, is_told, url, format, method)
), kept AS (
    INSERT INTO account_events (account_id, message_id, event, at_ms)
    SELECT account_id, message_id, event, at_ms FROM happened WHERE is_told
)
INSERT INTO webhook_deliveries (account_id, endpoint_id, lane, message_id, event, at_ms, url, format, method, state, due_at_ms, give_up_at_ms)
SELECT h.account_id, e.endpoint_id, 'endpoint ' || e.endpoint_id, h.message_id, h.event, h.at_ms, '', '', '',
       CASE e.state WHEN 'active' THEN 'due' ELSE 'dead' END, h.at_ms, h.at_ms + 345600000 -- 96 h
  FROM happened h JOIN webhook_endpoints e ON e.account_id = h.account_id AND h.event = ANY (e.events) AND e.state <> 'removed'
 WHERE h.is_told
UNION ALL
SELECT account_id, NULL, account_id || ' ' || substring(url FROM '^[^/]*//[^/?#]*'), message_id, event, at_ms, url, format, method,
       'due', at_ms, at_ms + 345600000
  FROM happened WHERE url <> '';

-- name: claim_deliveries
-- Takes what is due, of each lane at most its room ($2, $3; $4 where nothing is known of it), in an order of lanes that
-- changes, until $6; a lost courier's claims end by themselves.
WITH RECURSIVE lanes AS (
    (SELECT lane FROM webhook_deliveries WHERE state = 'due' ORDER BY lane LIMIT 1)
    UNION ALL
    SELECT (SELECT w.lane FROM webhook_deliveries w WHERE w.state = 'due' AND w.lane > l.lane ORDER BY w.lane LIMIT 1)
      FROM lanes l WHERE l.lane IS NOT NULL
), turns AS (
    SELECT l.lane, coalesce(known.room, $4) AS room
      FROM lanes l LEFT JOIN unnest($2::text[], $3::integer[]) AS known (lane, room) ON known.lane = l.lane
     WHERE l.lane IS NOT NULL ORDER BY random()
), chosen AS (
    SELECT d.delivery_id FROM turns t CROSS JOIN LATERAL (
        SELECT w.delivery_id FROM webhook_deliveries w WHERE w.lane = t.lane AND w.state = 'due' AND w.due_at_ms <= $1
         ORDER BY w.due_at_ms LIMIT t.room FOR UPDATE SKIP LOCKED) d
     LIMIT $5
)
UPDATE webhook_deliveries w SET due_at_ms = $6, claim = w.claim + 1 FROM chosen WHERE w.delivery_id = chosen.delivery_id
RETURNING w.delivery_id, w.account_id, w.endpoint_id, w.lane, w.message_id, w.event, w.at_ms, w.url, w.format, w.method, w.tries,
          w.give_up_at_ms, w.claim;

-- name: next_due
-- When the next delivery is due that nobody may have yet.
SELECT min(due_at_ms) FROM webhook_deliveries WHERE state = 'due';

-- name: close_deliveries
-- What became of claimed deliveries, and of each real try what it found. A claim that is not the last any more closes nothing.
WITH asked AS (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::smallint[], $5::bigint[], $6::bigint[], $7::boolean[], $8::bigint[],
                         $9::integer[], $10::smallint[], $11::text[], $12::text[])
        AS t (delivery_id, claim, state, tries, due_at_ms, ended_at_ms, is_try, at_ms, took_ms, status, fault, answer)
), tried AS (
    INSERT INTO webhook_tries (delivery_id, at_ms, took_ms, status, fault, answer)
    SELECT delivery_id, at_ms, took_ms, status, fault, answer FROM asked WHERE is_try
)
UPDATE webhook_deliveries w SET state = a.state, tries = a.tries, due_at_ms = a.due_at_ms, ended_at_ms = a.ended_at_ms
  FROM asked a WHERE w.delivery_id = a.delivery_id AND w.claim = a.claim AND w.state = 'due';

-- name: load_endpoints
-- Endpoints by id, with the secrets that sign at $2.
SELECT e.endpoint_id, e.account_id, e.url, e.events, e.format, e.method, e.state, e.why,
       ARRAY(SELECT s.secret FROM webhook_secrets s WHERE s.endpoint_id = e.endpoint_id
              AND (s.expires_at_ms IS NULL OR s.expires_at_ms > $2) ORDER BY s.created_at_ms DESC, s.secret) AS secrets
  FROM webhook_endpoints e WHERE e.endpoint_id = ANY ($1::integer[]);

-- name: endpoints_of_account
-- Which endpoints an account has, removed ones left out.
SELECT endpoint_id FROM webhook_endpoints WHERE account_id = $1 AND state <> 'removed' ORDER BY endpoint_id;

-- name: disable_endpoint
-- Tells an endpoint nothing more until somebody enables it; no row when it was not active.
UPDATE webhook_endpoints SET state = 'disabled', why = $2 WHERE endpoint_id = $1 AND state = 'active' RETURNING endpoint_id;

-- name: disable_silent_endpoint
-- The same, where nothing at all was taken since the event that was just given up ($3).
UPDATE webhook_endpoints e SET state = 'disabled', why = $2 WHERE e.endpoint_id = $1 AND e.state = 'active'
   AND NOT EXISTS (SELECT FROM webhook_deliveries w WHERE w.endpoint_id = e.endpoint_id AND w.state = 'done' AND w.ended_at_ms >= $3)
RETURNING e.endpoint_id;

-- name: enable_endpoint
-- Tells an endpoint again what happens from now on; no row when it is not disabled.
UPDATE webhook_endpoints SET state = 'active', why = '' WHERE endpoint_id = $1 AND state = 'disabled' RETURNING endpoint_id;

-- name: add_endpoint
-- Opens an endpoint.
INSERT INTO webhook_endpoints (account_id, url, events, format, method) VALUES ($1, $2, $3, $4, $5) RETURNING endpoint_id;

-- name: change_endpoint
-- Gives an endpoint another URL or other events (NULL: as it is); no row when it was removed.
UPDATE webhook_endpoints SET url = coalesce($2, url), events = coalesce($3, events)
 WHERE endpoint_id = $1 AND state <> 'removed' RETURNING endpoint_id;

-- name: remove_endpoint
-- Ends an endpoint; its deliveries stay to be looked at.
UPDATE webhook_endpoints SET state = 'removed' WHERE endpoint_id = $1 AND state <> 'removed' RETURNING endpoint_id;

-- name: expire_secrets
-- Lets the secrets in force of an endpoint sign until $2.
UPDATE webhook_secrets SET expires_at_ms = $2 WHERE endpoint_id = $1 AND expires_at_ms IS NULL;

-- name: add_secret
-- Signs with a new secret from now on.
INSERT INTO webhook_secrets (endpoint_id, secret, created_at_ms) VALUES ($1, $2, $3);

-- name: account_names
-- The names of accounts, for the formats that write them.
SELECT account_id, name FROM accounts WHERE account_id = ANY ($1::integer[]);

-- name: list_endpoints
-- The endpoints of an account, or of all (NULL), with what they are owed and what they did not take.
SELECT e.endpoint_id, a.name AS account, e.account_id, e.url, e.events, e.format, e.method, e.state, e.why, e.created_at,
       (SELECT count(*) FROM webhook_deliveries w WHERE w.lane = 'endpoint ' || e.endpoint_id AND w.state = 'due') AS due,
       (SELECT count(*) FROM webhook_deliveries w WHERE w.endpoint_id = e.endpoint_id AND w.state = 'dead') AS dead
  FROM webhook_endpoints e JOIN accounts a USING (account_id)
 WHERE ($1::integer IS NULL OR e.account_id = $1) AND e.state <> 'removed' ORDER BY e.endpoint_id;

-- name: owe_test
-- Owes an endpoint a test event; the delivery's id.
INSERT INTO webhook_deliveries (account_id, endpoint_id, lane, message_id, event, at_ms, state, due_at_ms, give_up_at_ms)
SELECT account_id, endpoint_id, 'endpoint ' || endpoint_id, 0, 'webhook.test', $2::bigint, 'due', $2, $2::bigint + 345600000
  FROM webhook_endpoints WHERE endpoint_id = $1 AND state = 'active' RETURNING delivery_id;

-- name: list_deliveries
-- The newest deliveries of an account ($1) or endpoint ($2) in a state ($3) before an id ($4), with the last try of each.
SELECT w.delivery_id, w.endpoint_id, w.account_id, w.event, w.at_ms, w.state, w.tries, w.due_at_ms, w.ended_at_ms,
       CASE WHEN w.event LIKE 'message.%' OR w.event = 'inbound.received' THEN w.message_id ELSE 0 END AS message_id, -- else a notice's
       substring(w.url FROM '^[^/]*//[^/?#]*') AS origin, t.at_ms AS tried_at_ms, t.status, t.fault, t.answer
  FROM webhook_deliveries w LEFT JOIN LATERAL (
       SELECT * FROM webhook_tries t WHERE t.delivery_id = w.delivery_id ORDER BY t.at_ms DESC LIMIT 1) t ON true
 WHERE ($1::integer IS NULL OR w.account_id = $1) AND ($2::integer IS NULL OR w.endpoint_id = $2)
   AND ($3::text IS NULL OR w.state = $3) AND w.delivery_id < $4
 ORDER BY w.delivery_id DESC LIMIT $5;

-- name: list_tries
-- What each try of a delivery found, first to last.
SELECT at_ms, took_ms, status, fault, answer FROM webhook_tries WHERE delivery_id = $1 ORDER BY at_ms;

-- name: replay_deliveries
-- Owes again what an endpoint was told, or did not take, of events between $2 and $3, in one of the states $4: the next page
-- after delivery $5. Their ids stay.
WITH page AS (
    SELECT delivery_id FROM webhook_deliveries
     WHERE endpoint_id = $1 AND delivery_id > $5 AND at_ms >= $2 AND at_ms < $3 AND state = ANY ($4::text[])
     ORDER BY delivery_id LIMIT $6 FOR UPDATE
), owed AS (
    UPDATE webhook_deliveries w SET state = 'due', tries = 0, due_at_ms = $7::bigint, give_up_at_ms = $7::bigint + 345600000, ended_at_ms = 0
      FROM page WHERE w.delivery_id = page.delivery_id RETURNING w.delivery_id
)
SELECT count(*) AS replayed, coalesce(max(delivery_id), 0) AS last_id, pg_notify('passerelle_webhooks', '') FROM owed;

-- name: forget_deliveries
-- Forgets deliveries that ended before a time, with their tries; how many.
WITH old AS (
    SELECT delivery_id FROM webhook_deliveries WHERE state <> 'due' AND at_ms < $1 ORDER BY at_ms LIMIT $2 FOR UPDATE SKIP LOCKED
), tries AS (
    DELETE FROM webhook_tries t USING old WHERE t.delivery_id = old.delivery_id
), gone AS (
    DELETE FROM webhook_deliveries w USING old WHERE w.delivery_id = old.delivery_id RETURNING 1
)
SELECT count(*) FROM gone;

-- name: forget_events
-- Forgets events that happened before a time; how many.
WITH old AS (
    SELECT account_id, changed_xact, event_id FROM account_events WHERE at_ms < $1 ORDER BY at_ms LIMIT $2
), gone AS (
    DELETE FROM account_events e USING old
     WHERE e.account_id = old.account_id AND e.changed_xact = old.changed_xact AND e.event_id = old.event_id RETURNING 1
)
SELECT count(*) FROM gone;

-- name: read_events
-- The next events of an account after a place ($2 transaction, $3 number), of these kinds, that nothing can come before any more.
SELECT changed_xact::text AS xact, event_id, message_id, event, at_ms FROM account_events
 WHERE account_id = $1 AND (changed_xact, event_id) > ($2::text::xid8, $3) AND event = ANY ($4::text[])
   AND changed_xact < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY changed_xact, event_id LIMIT $5;
