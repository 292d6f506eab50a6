-- The audit log: rows chained by HMAC, inserted one after the other, never changed.

-- name: begin_chain
-- The head of an empty chain, where there is none yet.
INSERT INTO audit_head (seq, mac) VALUES (0, $1) ON CONFLICT (one) DO NOTHING;

-- name: lock_head
-- The newest row's number and MAC, locked until the transaction ends; the time, and the secret behind the key.
SELECT h.seq, h.mac, s.secret, (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS at_ms
  FROM audit_head h, api_secret s FOR UPDATE OF h;

-- name: add_row
-- One row after the head.
INSERT INTO audit (seq, at_ms, user_id, user_name, role, action, subject, account_id, address, request_id, before, after, mac)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: move_head
-- The row just added is the newest.
UPDATE audit_head SET seq = $1, mac = $2;

-- name: read_head
-- The newest row's number and MAC as the chain says.
SELECT seq, mac FROM audit_head;

-- name: read_chain
-- Rows after a number, in the order of the chain.
SELECT seq, at_ms, user_id, user_name, role, action, subject, account_id, address, request_id, before, after, mac
  FROM audit WHERE seq > $1 ORDER BY seq LIMIT $2;

-- name: list_audit
-- Rows before a number, newest first; NULL: whatever it is. A reseller's user ($8) sees the accounts below his own.
SELECT seq, at_ms, user_id, user_name, role, action, subject, account_id, address, request_id, before, after
  FROM audit
 WHERE seq < $1 AND ($2::text IS NULL OR user_name = $2) AND ($3::text IS NULL OR starts_with(action, $3))
   AND ($4::text IS NULL OR subject = $4) AND ($5::integer IS NULL OR account_id = $5)
   AND ($6::bigint IS NULL OR at_ms >= $6) AND ($7::bigint IS NULL OR at_ms < $7)
   AND ($8::integer IS NULL OR account_id IN (SELECT t.account_id FROM account_tree($8) t))
 ORDER BY seq DESC LIMIT $9;
