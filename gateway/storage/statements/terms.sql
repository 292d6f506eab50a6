-- What must hold beside credit for messages of the HTTP API to be accepted, decided in the accepting transaction.

-- name: claim_keys
-- Stores idempotency keys with their answers; those that stand already are not among the rows returned. Waits for another
-- process that is just storing one of them.
INSERT INTO idempotency_keys (account_id, route, key, body_hash, message_ids, answer, created_at_ms)
SELECT account_id, route, key, body_hash, string_to_array(message_ids, ',')::bigint[], answer, created_at_ms
  FROM unnest($1::integer[], $2::text[], $3::text[], $4::bytea[], $5::text[], $6::bytea[], $7::bigint[])
       AS t (account_id, route, key, body_hash, message_ids, answer, created_at_ms)
 ORDER BY account_id, route, key
ON CONFLICT (account_id, route, key) DO NOTHING RETURNING account_id, route, key;

-- name: claim_refs
-- Gives messages their customer's names; the ids of those whose name is free.
INSERT INTO client_refs (account_id, client_ref, message_id)
SELECT * FROM unnest($1::integer[], $2::text[], $3::bigint[]) AS t (account_id, client_ref, message_id)
 ORDER BY account_id, client_ref
ON CONFLICT (account_id, client_ref) DO NOTHING RETURNING message_id;

-- name: lock_funds
-- What accounts can still pay, nobody else changing it until the transaction ends.
SELECT account_id, balance_micros + credit_limit_micros AS available FROM accounts
 WHERE account_id = ANY ($1::integer[]) AND state = 'active' ORDER BY account_id FOR NO KEY UPDATE;

-- name: drop_refs
-- Takes the names of messages back that were refused after all.
DELETE FROM client_refs c USING unnest($1::integer[], $2::text[]) AS t (account_id, client_ref)
 WHERE c.account_id = t.account_id AND c.client_ref = t.client_ref;

-- name: drop_keys
-- Takes idempotency keys back under which nothing was stored: the same request may succeed later.
DELETE FROM idempotency_keys k USING unnest($1::integer[], $2::text[], $3::text[]) AS t (account_id, route, key)
 WHERE k.account_id = t.account_id AND k.route = t.route AND k.key = t.key;

-- name: find_key
-- What was answered under an idempotency key, and which of its messages are stored.
SELECT k.body_hash, k.answer, k.message_ids,
       ARRAY(SELECT m.message_id FROM messages m WHERE m.account_id = k.account_id AND m.message_id = ANY (k.message_ids)) AS stored
  FROM idempotency_keys k WHERE k.account_id = $1 AND k.route = $2 AND k.key = $3 AND k.created_at_ms >= $4;

-- name: find_refs
-- Which messages have these names of an account.
SELECT client_ref, message_id FROM client_refs WHERE account_id = $1 AND client_ref = ANY ($2::text[]);

-- name: bury_keys
-- Forgets idempotency keys older than a time.
DELETE FROM idempotency_keys WHERE created_at_ms < $1;
