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

-- name: lock_addressing
-- Only one process at a time makes sendings: their number in an hour is counted.
SELECT pg_advisory_xact_lock(hashtext('passerelle notices'));

-- name: take_unaddressed
-- Notices of which no sending is made yet, oldest first; of events ($2) that this program knows: another version may know more.
SELECT notice_id, event, account_id FROM notices WHERE NOT addressed AND event = ANY ($2::text[]) ORDER BY notice_id LIMIT $1;

-- name: mark_addressed
-- Their sendings are made.
UPDATE notices SET addressed = true WHERE notice_id = ANY ($1::bigint[]);

-- name: preferences_of_accounts
-- Who of these accounts is told where.
SELECT owner_kind, owner_id, language, emails, phones, channels, low_balance_micros
  FROM notice_preferences WHERE owner_kind = 'account' AND owner_id = ANY ($1::integer[]);

-- name: contacts_of_orders
-- Whom a customer's order of credit names, for notices about that order.
SELECT n.notice_id, o.account_id, o.language, o.email, o.phone
  FROM notices n JOIN credit_orders o ON o.order_id = (n.facts ->> 'order')::bigint AND o.account_id = n.account_id
 WHERE n.notice_id = ANY ($1::bigint[]);

-- name: preferences_of_administrators
-- Who at the house is told where: the house (role '') of everything, users of their role's matters; who said nothing at the
-- addresses that his user has.
SELECT '' AS role, owner_kind, owner_id, language, emails, phones, channels, low_balance_micros
  FROM notice_preferences WHERE owner_kind = 'house'
UNION ALL
SELECT a.role, 'operator', a.user_id, coalesce(p.language, a.language), coalesce(p.emails, array_remove(ARRAY[a.email], '')),
       coalesce(p.phones, array_remove(ARRAY[ltrim(a.phone, '+')], '')), coalesce(p.channels, '{}'), NULL
  FROM notice_administrators a LEFT JOIN notice_preferences p ON p.owner_kind = 'operator' AND p.owner_id = a.user_id;

-- name: add_sending
-- Owes an address ($2) a letter or SMS of a notice ($6); past an account's limit of an hour ($8) as part of a digest, which gathers
-- until $9 or joins the one that gathers already. $7: now; $10: when it is given up; $11: notices that a digest names; $12: SMS
-- of one account's wish in a day, past which none is sent: the house pays for them.
WITH joined AS (
    UPDATE notice_sendings SET notice_count = notice_count + 1,
           notice_ids = CASE WHEN cardinality(notice_ids) < $11 THEN notice_ids || $6::bigint ELSE notice_ids END
     WHERE channel = $1 AND address = $2 AND event = $4 AND account_id IS NOT DISTINCT FROM $5 AND is_digest AND state = 'due'
       AND claim = 0 RETURNING 1
), recent AS (
    SELECT count(*) >= $8 AS is_full FROM notice_sendings
     WHERE address = $2 AND event = $4 AND channel = $1 AND account_id IS NOT DISTINCT FROM $5 AND NOT is_digest
       AND made_at_ms > $7::bigint - 3600000
), paid AS (
    SELECT $1 = 'sms' AND count(*) >= $12 AS is_over FROM (
        SELECT made_at_ms FROM notice_sendings WHERE account_id = $5 AND channel = 'sms' ORDER BY sending_id DESC LIMIT $12) newest
     WHERE made_at_ms > $7::bigint - 86400000
)
INSERT INTO notice_sendings (channel, address, language, event, account_id, notice_ids, is_digest, state, why, made_at_ms, due_at_ms,
                             give_up_at_ms, ended_at_ms)
SELECT $1, $2, $3, $4, $5, ARRAY[$6::bigint], is_full, CASE WHEN is_over THEN 'dead' ELSE 'due' END,
       CASE WHEN is_over THEN 'day_limit' ELSE '' END, $7, CASE WHEN is_full THEN $9::bigint ELSE $7 END, $10,
       CASE WHEN is_over THEN $7 ELSE 0 END
  FROM recent, paid WHERE NOT EXISTS (SELECT FROM joined);

-- name: claim_sendings
-- Takes what is due until $3. What was claimed before and never closed is in doubt once more.
WITH chosen AS (
    SELECT sending_id FROM notice_sendings WHERE state = 'due' AND due_at_ms <= $1 ORDER BY due_at_ms LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE notice_sendings s SET due_at_ms = $3, claim = s.claim + 1, doubts = s.doubts + s.is_open::integer, is_open = true
  FROM chosen WHERE s.sending_id = chosen.sending_id
RETURNING s.sending_id, s.channel, s.address, s.language, s.event, s.notice_ids, s.notice_count, s.is_digest, s.tries, s.doubts, s.edition,
          s.claim, s.made_at_ms, s.give_up_at_ms;

-- name: load_notices
-- Notices by id.
SELECT notice_id, event, facts, told_at_ms FROM notices WHERE notice_id = ANY ($1::bigint[]) ORDER BY notice_id;

-- name: close_sendings
-- What became of claimed sendings. A claim that is not the last any more closes nothing.
UPDATE notice_sendings s SET state = a.state, why = a.why, tries = a.tries, doubts = a.doubts, due_at_ms = a.due_at_ms,
       ended_at_ms = a.ended_at_ms, message_id = coalesce(a.message_id, s.message_id), is_open = false
  FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::smallint[], $6::smallint[], $7::bigint[], $8::bigint[], $9::bigint[])
       AS a (sending_id, claim, state, why, tries, doubts, due_at_ms, ended_at_ms, message_id)
 WHERE s.sending_id = a.sending_id AND s.claim = a.claim AND s.state = 'due';

-- name: forget_sendings
-- Forgets sendings that ended before a time.
DELETE FROM notice_sendings WHERE sending_id IN (SELECT sending_id FROM notice_sendings WHERE state <> 'due' AND made_at_ms < $1 LIMIT $2);

-- name: forget_notices
-- Forgets notices of before a time.
DELETE FROM notices WHERE notice_id IN (SELECT notice_id FROM notices WHERE addressed AND told_at_ms < $1 LIMIT $2);

-- name: list_sendings
-- The newest sendings of an account ($1; NULL: all) in a state ($2) before an id ($3), with the name of the account.
SELECT s.sending_id, s.channel, s.address, s.language, s.event, s.account_id, a.name AS account, s.notice_ids, s.notice_count, s.state,
       s.why, s.tries, s.doubts, s.made_at_ms, s.due_at_ms, s.ended_at_ms, s.message_id
  FROM notice_sendings s LEFT JOIN accounts a USING (account_id)
 WHERE ($1::integer IS NULL OR s.account_id = $1) AND ($2::text IS NULL OR s.state = $2) AND s.sending_id < $3
 ORDER BY s.sending_id DESC LIMIT $4;

-- name: find_sending
-- A sending, as an audit row tells of it.
SELECT sending_id, account_id, event, channel, state, why FROM notice_sendings WHERE sending_id = $1;

-- name: resend
-- Sends a letter or SMS again that has ended, under a name of its own; no row when there is none, or it has not ended.
UPDATE notice_sendings SET state = 'due', why = '', tries = 0, doubts = 0, is_open = false, edition = edition + 1, ended_at_ms = 0,
       due_at_ms = $2::bigint, give_up_at_ms = $2::bigint + $3::bigint
 WHERE sending_id = $1 AND state <> 'due' RETURNING sending_id, pg_notify('passerelle_notices', '');

-- name: load_preferences
-- Where one is told of what.
SELECT owner_kind, owner_id, language, emails, phones, channels, low_balance_micros
  FROM notice_preferences WHERE owner_kind = $1 AND owner_id = $2;

-- name: save_preferences
-- Says where one is told of what; another threshold of the balance is watched from its beginning.
WITH fresh AS (
    DELETE FROM notice_watches WHERE $1 = 'account' AND watch = 'balance' AND subject = $2::integer::text
       AND (SELECT low_balance_micros FROM notice_preferences WHERE owner_kind = $1 AND owner_id = $2) IS DISTINCT FROM $7::bigint
)
INSERT INTO notice_preferences (owner_kind, owner_id, language, emails, phones, channels, low_balance_micros)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7)
ON CONFLICT (owner_kind, owner_id) DO UPDATE SET language = excluded.language, emails = excluded.emails, phones = excluded.phones,
       channels = excluded.channels, low_balance_micros = excluded.low_balance_micros, changed_at = now();

-- name: try_lock_watching
-- Whether nobody else looks at the watches now.
SELECT pg_try_advisory_xact_lock(hashtext('passerelle notice watches'));

-- name: low_balances
-- Accounts that have less than they want to be told of; and those told of it that nobody topped up since.
SELECT a.account_id, a.name, a.balance_micros + a.credit_limit_micros AS available_micros, p.low_balance_micros,
       (SELECT coalesce(max(l.posting_id), 0) FROM ledger l WHERE l.account_id = a.account_id) AS posting_id
  FROM notice_preferences p JOIN accounts a ON a.account_id = p.owner_id
  LEFT JOIN notice_watches w ON w.watch = 'balance' AND w.subject = a.account_id::text
 WHERE p.owner_kind = 'account' AND p.low_balance_micros IS NOT NULL AND a.state <> 'closed'
   AND (a.balance_micros + a.credit_limit_micros < p.low_balance_micros
        OR (w.subject IS NOT NULL AND NOT EXISTS (SELECT FROM ledger l WHERE l.account_id = a.account_id AND l.posting_id > (w.facts ->> 'posting')::bigint
                                                 AND l.kind IN ('top_up', 'adjustment') AND l.to_purse = 'available')));

-- name: carriers_seen
-- What living nodes say of the binds of each connector that they configure and that no operator stopped. $1: how many seconds a
-- lease lasts.
SELECT c.name, sum(r.bound)::integer AS bound, max(r.binds)::integer AS binds
  FROM connector_reach r JOIN nodes n USING (node_id) JOIN connectors c USING (connector_id)
 WHERE n.epoch = r.epoch AND n.seen_at > clock_timestamp() - make_interval(secs => $1) AND r.binds > 0 AND c.wish <> 'stop'
 GROUP BY c.name;

-- name: nodes_seen
-- When nodes gave their last sign of life that did not leave in order ($1: how many seconds a lease lasts), of the last day.
SELECT n.name, (extract(epoch FROM n.seen_at) * 1000)::bigint AS seen_at_ms,
       n.seen_at > clock_timestamp() - make_interval(secs => $1) AS is_alive
  FROM nodes n
 WHERE n.kind = 'node' AND n.seen_at > clock_timestamp() - interval '1 day' AND (n.left_at IS NULL OR n.left_at < n.started_at);

-- name: hold_watches
-- What holds now: begins to be watched, where it was not.
INSERT INTO notice_watches (watch, subject, since_ms, facts)
SELECT $1, subject, since_ms, facts::jsonb FROM unnest($2::text[], $3::bigint[], $4::text[]) AS held (subject, since_ms, facts)
ON CONFLICT (watch, subject) DO NOTHING;

-- name: ripen_watches
-- What held since before a time ($2) and is told of now.
UPDATE notice_watches SET told_at_ms = $3 WHERE watch = $1 AND told_at_ms IS NULL AND since_ms <= $2 RETURNING subject, since_ms;

-- name: end_watches
-- What holds no more; what was told of, with its beginning. $3: whether $2 are those that ended, or those that hold still.
DELETE FROM notice_watches WHERE watch = $1 AND (subject = ANY ($2::text[])) = $3 RETURNING subject, since_ms, told_at_ms;
