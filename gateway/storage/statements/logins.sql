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
UPDATE esmes SET former_password_hash = CASE WHEN $3::bigint > 0 THEN password_hash ELSE '' END,
       former_until_ms = $3, password_hash = $2
 WHERE system_id = $1 RETURNING esme_id;

-- name: confirm_password
-- Ends the former password before its time.
UPDATE esmes SET former_password_hash = '', former_until_ms = 0
 WHERE system_id = $1 AND former_password_hash <> '' RETURNING esme_id;

-- name: set_account_rates
-- Changes the rates of an account over all its logins.
UPDATE accounts SET tps = coalesce($2, tps), per_minute = coalesce($3, per_minute), per_day = coalesce($4, per_day)
 WHERE account_id = $1 RETURNING tps, per_minute, per_day;

-- name: parts_since
-- The parts that each of these accounts had accepted since a message id (of a day's first instant), over all nodes.
SELECT account_id, sum(part_count)::bigint AS parts FROM messages
 WHERE account_id = ANY ($1::integer[]) AND message_id >= $2 GROUP BY account_id;
