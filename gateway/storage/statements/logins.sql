-- Limits and secrets of SMPP logins, and the rates of accounts, as operators change them; NULL leaves a value as it is.

-- name: set_esme
-- Changes limits of a login; no row when there is none of this name.
UPDATE esmes SET max_binds = coalesce($2, max_binds), max_transmitters = coalesce($3, max_transmitters),
       max_receivers = coalesce($4, max_receivers), max_transceivers = coalesce($5, max_transceivers),
       window_size = coalesce($6, window_size), tps = coalesce($7, tps), allow_cidrs = coalesce($8, allow_cidrs),
       traffic_class = coalesce($9, traffic_class), v34_bind_errors = coalesce($10, v34_bind_errors),
       receipts_first = coalesce($11, receipts_first), receipt_for_each_part = coalesce($12, receipt_for_each_part)
 WHERE system_id = $1 RETURNING esme_id;

-- name: login_history
-- What was changed of a login, newest first.
SELECT h.changed_at, h.field, h.former, h.became FROM esme_history h JOIN esmes e USING (esme_id)
 WHERE e.system_id = $1 ORDER BY h.changed_at DESC, h.field LIMIT $2;

-- name: set_esme_state
-- Lets a login bind, or ends its binds.
UPDATE esmes SET state = $2 WHERE system_id = $1 RETURNING esme_id;

-- name: rotate_password
-- Puts a new password in force; the one before it goes on binding until $3 (Unix milliseconds), the one before that ends.
SELECT rotate_login($1, $2, $3);

-- name: find_logins
-- Logins below a number, newest first, without their secrets: $1 account, $2 state, $3 one login alone, each NULL for all;
-- $6: of accounts in this tree alone.
SELECT e.esme_id, e.system_id, e.account_id, a.name AS account, e.state, e.max_binds, e.max_transmitters, e.max_receivers,
       e.max_transceivers, e.window_size, e.tps, e.allow_cidrs, e.traffic_class, e.v34_bind_errors, e.receipts_first,
       e.receipt_for_each_part, e.default_alphabet, e.long_inbound, e.former_until_ms, e.created_at
  FROM esmes e JOIN accounts a USING (account_id)
 WHERE ($1::integer IS NULL OR e.account_id = $1) AND ($2::text IS NULL OR e.state = $2) AND ($3::integer IS NULL OR e.esme_id = $3)
   AND e.esme_id < $4 AND ($6::integer IS NULL OR e.account_id IN (SELECT t.account_id FROM account_tree($6) t))
 ORDER BY e.esme_id DESC LIMIT $5;

-- name: lock_login
-- Keeps others from changing a login before this transaction ends.
SELECT esme_id FROM esmes WHERE esme_id = $1 FOR NO KEY UPDATE;

-- name: find_payer
-- An account that a login may be opened for; $2: in this tree alone.
SELECT account_id FROM accounts WHERE account_id = $1 AND state <> 'closed'
   AND ($2::integer IS NULL OR account_id IN (SELECT t.account_id FROM account_tree($2) t));

-- name: confirm_password
-- Ends the former password before its time.
UPDATE esmes SET former_password_hash = '', former_until_ms = 0
 WHERE system_id = $1 AND former_until_ms > 0 RETURNING esme_id;

-- name: set_account_rates
-- Changes the rates of an account over all its logins.
UPDATE accounts SET tps = coalesce($2, tps), per_minute = coalesce($3, per_minute), per_day = coalesce($4, per_day)
 WHERE account_id = $1 RETURNING tps, per_minute, per_day;

-- name: parts_since
-- The parts that each of these accounts had accepted since a message id (of a day's first instant), over all nodes.
SELECT account_id, sum(part_count)::bigint AS parts FROM messages
 WHERE account_id = ANY ($1::integer[]) AND message_id >= $2 GROUP BY account_id;
