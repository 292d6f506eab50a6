-- Orders of credit: what customers ask to buy, what was paid for it, how it ended. Crediting is a move (credit_moves.sql).

-- name: lock_orderer
-- One order of an account after the other, so that none overlooks how many are open.
SELECT pg_advisory_xact_lock(7063, $1::integer);

-- name: place_order
-- Writes an order down; no row when this was asked before under the same key, or the account has $12 open ones.
INSERT INTO credit_orders (account_id, amount_micros, contact_name, email, phone, note, reference, language,
                           idempotency_key, body_hash, expires_at)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, now() + make_interval(days => $11::integer)
 WHERE (SELECT count(*) FROM credit_orders WHERE account_id = $1 AND state IN ('placed', 'paid')) < $12::integer
ON CONFLICT DO NOTHING RETURNING order_id;

-- name: find_order
-- One order. $2: the accounts that may be seen; NULL: all.
SELECT o.*, a.name AS account FROM credit_orders o JOIN accounts a USING (account_id)
 WHERE o.order_id = $1 AND ($2::integer[] IS NULL OR o.account_id = ANY ($2::integer[]));

-- name: find_order_by_key
-- The order that an account asked under an idempotency key.
SELECT order_id FROM credit_orders WHERE account_id = $1 AND idempotency_key = $2 AND idempotency_key <> '';

-- name: page_of_orders
-- Orders below an id, newest first. $1: the accounts that may be seen; NULL: all. $2, $3: one account, one state; NULL: any.
SELECT o.*, a.name AS account FROM credit_orders o JOIN accounts a USING (account_id)
 WHERE ($1::integer[] IS NULL OR o.account_id = ANY ($1::integer[])) AND ($2::integer IS NULL OR o.account_id = $2)
   AND ($3::text IS NULL OR o.state = $3) AND o.order_id < $4
 ORDER BY o.order_id DESC LIMIT $5;

-- name: pay_order
-- Records a payment made by hand; no row when the order's state does not permit it. $2: states before, $3: state after.
UPDATE credit_orders SET state = $3, payment_method = $4, payment_reference = $5, payment_amount = $6::numeric,
       payment_currency = $7, paid_on = $8, paid_by = $9
 WHERE order_id = $1 AND state = ANY ($2::text[]) RETURNING order_id;

-- name: end_order
-- Ends an order without credit; no row when its state does not permit it. $2: states before, $3: state after.
UPDATE credit_orders SET state = $3, ended_by = $4, ended_at = now(), reason = $5
 WHERE order_id = $1 AND state = ANY ($2::text[]) RETURNING order_id;

-- name: expire_orders
-- Ends the orders that nobody paid in time.
UPDATE credit_orders SET state = $2, ended_at = now() WHERE state = ANY ($1::text[]) AND expires_at <= now()
RETURNING order_id;

-- name: count_waiting
-- What waits for people: orders for their payment, payments for their credit, moves for a second person.
SELECT (SELECT count(*) FROM credit_orders WHERE state = 'placed') AS "order",
       (SELECT count(*) FROM credit_orders WHERE state = 'paid') AS payment,
       (SELECT count(*) FROM credit_moves WHERE state = 'proposed') AS approval;
