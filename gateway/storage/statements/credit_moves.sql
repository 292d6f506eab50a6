-- Moves of credit that people make: proposed, decided, and applied by the function apply_credit_move alone.

-- name: lock_proposer
-- One move of a person after the other, so that none overlooks what another one weighs.
SELECT pg_advisory_xact_lock(7064, $1::integer);

-- name: propose_move
-- Writes a move down; whether it needs a second person follows from what this one moved alone in the last 24 hours, and
-- $13. No row when this was asked before under the same key, the order has a living move, or there is no such account.
INSERT INTO credit_moves (account_id, kind, amount_micros, payer_id, order_id, reason, proposed_by_id, proposed_by,
                          idempotency_key, body_hash, expires_at, weight_micros, alone)
SELECT a.account_id, $2, $3::bigint, $4, $5, $6, $7, $8, $9, $10, now() + make_interval(hours => $11::integer), w.micros,
       $12::boolean OR w.micros = 0 OR w.micros + (
           SELECT coalesce(sum(m.weight_micros), 0) FROM credit_moves m
            WHERE m.proposed_by_id = $7 AND m.alone AND m.state = 'applied' AND m.proposed_at > now() - interval '24 hours'
       ) <= $13::bigint
  FROM accounts a
 CROSS JOIN LATERAL (SELECT CASE $2 WHEN 'transfer' THEN 0 WHEN 'credit_limit' THEN greatest(0, $3 - a.credit_limit_micros)
                                    ELSE abs($3) END AS micros) w
 WHERE a.account_id = $1
ON CONFLICT DO NOTHING RETURNING move_id;

-- name: apply_move
-- Moves the credit, once: "applied", or why not. $2, $3: who decides.
SELECT apply_credit_move($1, $2, $3);

-- name: end_move
-- Ends a proposed move without moving anything; no row when it is not open. $2: states before, $3: state after.
UPDATE credit_moves SET state = $3, decided_by_id = $4, decided_by = $5, decided_at = now(), decision = $6
 WHERE move_id = $1 AND state = ANY ($2::text[]) RETURNING move_id;

-- name: withdraw_moves_of_order
-- Takes back what was proposed for an order that changed since.
UPDATE credit_moves SET state = $3, decided_by_id = $4, decided_by = $5, decided_at = now()
 WHERE order_id = $1 AND state = ANY ($2::text[]);

-- name: expire_moves
-- Ends the proposals that nobody decided in time.
UPDATE credit_moves SET state = $2, decided_at = now() WHERE state = ANY ($1::text[]) AND expires_at <= now()
RETURNING move_id;

-- name: find_move
-- One move, with the names of its accounts. $2: the accounts that may be seen; NULL: all.
SELECT m.move_id, m.account_id, a.name AS account, m.kind, m.amount_micros, p.name AS payer, m.order_id, m.reason, m.alone,
       m.state, m.proposed_by_id, m.proposed_by, m.proposed_at, m.expires_at, m.decided_by, m.decided_at, m.decision,
       m.posting_id, m.body_hash
  FROM credit_moves m JOIN accounts a USING (account_id) LEFT JOIN accounts p ON p.account_id = m.payer_id
 WHERE m.move_id = $1 AND ($2::integer[] IS NULL OR m.account_id = ANY ($2::integer[]));

-- name: find_move_by_key
-- The move that a person asked under an idempotency key.
SELECT move_id FROM credit_moves WHERE coalesce(proposed_by_id, 0) = $1::integer AND idempotency_key = $2 AND idempotency_key <> '';

-- name: page_of_moves
-- Moves below an id, newest first. $1: the accounts that may be seen; NULL: all. $2, $3: one account, one state; NULL: any.
SELECT m.move_id, m.account_id, a.name AS account, m.kind, m.amount_micros, p.name AS payer, m.order_id, m.reason, m.alone,
       m.state, m.proposed_by_id, m.proposed_by, m.proposed_at, m.expires_at, m.decided_by, m.decided_at, m.decision,
       m.posting_id, m.body_hash
  FROM credit_moves m JOIN accounts a USING (account_id) LEFT JOIN accounts p ON p.account_id = m.payer_id
 WHERE ($1::integer[] IS NULL OR m.account_id = ANY ($1::integer[])) AND ($2::integer IS NULL OR m.account_id = $2)
   AND ($3::text IS NULL OR m.state = $3) AND m.move_id < $4
 ORDER BY m.move_id DESC LIMIT $5;

-- name: accounts_from
-- An account and all that are below it.
SELECT $1::integer AS account_id UNION ALL SELECT account_id FROM account_tree($1);

-- name: find_funds
-- What an account has. $2: the accounts that may be seen; NULL: all.
SELECT balance_micros, credit_limit_micros FROM accounts
 WHERE account_id = $1 AND ($2::integer[] IS NULL OR account_id = ANY ($2::integer[]));
