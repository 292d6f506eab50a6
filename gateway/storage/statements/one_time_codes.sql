-- One-time codes: within which limits they are sent, what is kept of them, trying them.

-- name: lock_senders
-- Codes of an account are counted and sent by one transaction at a time, accounts in order.
SELECT pg_advisory_xact_lock(hashtext('one-time codes'), account_id) FROM unnest($1::integer[]) AS t (account_id) ORDER BY account_id;

-- name: count_sends
-- How many codes of an account went since $4 to a number, since $5 to a block of numbers and to anybody; and when the
-- oldest of each went.
SELECT count(*) FILTER (WHERE number = $2 AND at_ms > $4) AS of_number, min(at_ms) FILTER (WHERE number = $2 AND at_ms > $4) AS number_since,
       count(*) FILTER (WHERE block = $3) AS of_block, min(at_ms) FILTER (WHERE block = $3) AS block_since,
       count(*) AS of_account, min(at_ms) AS account_since
  FROM one_time_sends WHERE account_id = $1 AND at_ms > $5;

-- name: note_send
-- A code that is about to be sent.
INSERT INTO one_time_sends (message_id, account_id, number, block, at_ms) VALUES ($1, $2, $3, $4, $5);

-- name: forget_sends
-- Takes back what was not sent after all.
DELETE FROM one_time_sends WHERE account_id = ANY ($1::integer[]) AND message_id = ANY ($2::bigint[]);

-- name: add_code
-- Keeps a code's hash.
INSERT INTO one_time_codes (otp_id, account_id, number, sender, template, code_length, code_hash, message_id, most_attempts, validity_s,
                            expires_at_ms)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);

-- name: renew_code
-- Puts another code in the place of one that nobody has proven yet; its attempts stay counted.
UPDATE one_time_codes SET code_hash = $3, message_id = $4, expires_at_ms = $5
 WHERE account_id = $1 AND otp_id = $2 AND state = 'pending';

-- name: find_code
-- One code of an account.
SELECT otp_id, account_id, number, sender, template, code_length, code_hash, message_id, most_attempts, validity_s, expires_at_ms,
       state, attempts
  FROM one_time_codes WHERE account_id = $1 AND otp_id = $2;

-- name: count_attempt
-- Counts a try before anybody compares, others waiting; no row when no try is left, it has expired or is proven.
UPDATE one_time_codes SET attempts = attempts + 1
 WHERE account_id = $1 AND otp_id = $2 AND state = 'pending' AND attempts < most_attempts AND expires_at_ms > $3
RETURNING code_hash;

-- name: approve_code
-- A code that was proven is never proven again.
UPDATE one_time_codes SET state = 'approved' WHERE account_id = $1 AND otp_id = $2 AND state = 'pending' RETURNING otp_id;

-- name: bury_sends
-- Forgets sends that no limit looks at any more.
DELETE FROM one_time_sends WHERE at_ms < $1;

-- name: bury_codes
-- Forgets codes that expired before a time.
DELETE FROM one_time_codes WHERE expires_at_ms < $1;
