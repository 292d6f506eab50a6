-- Opt-outs as people at desks write and read them; what handsets say is stored by inbound.sql.

-- name: add_opt_outs
-- Numbers that want to hear no more from an account; those that said so before stay as they are.
INSERT INTO opt_outs AS kept (account_id, number, opted_out, word, at_ms, source, proof)
SELECT $1, number, true, $3, $4, $5, $6 FROM unnest($2::text[]) AS t (number) ORDER BY number
ON CONFLICT (account_id, number) DO UPDATE SET opted_out = true, word = excluded.word, at_ms = excluded.at_ms, source = excluded.source,
       proof = excluded.proof, changed_xact = pg_current_xact_id()
 WHERE NOT kept.opted_out RETURNING number;

-- name: end_opt_out
-- A person wants to hear from an account again; no row when he never said otherwise.
UPDATE opt_outs SET opted_out = false, word = $3, at_ms = $4, source = $5, proof = $6, changed_xact = pg_current_xact_id()
 WHERE account_id = $1 AND number = $2 AND opted_out RETURNING number;

-- name: page_of_opt_outs
-- People's last words, newest first, before a place ($4, $5, $6): $1 account or all, $2 number, $3 out or back.
SELECT o.account_id, a.name AS account, o.number, o.opted_out, o.word, o.at_ms, o.source, o.proof
  FROM opt_outs o JOIN accounts a USING (account_id)
 WHERE ($1::integer IS NULL OR o.account_id = $1) AND ($2::text IS NULL OR o.number = $2) AND ($3::boolean IS NULL OR o.opted_out = $3)
   AND (o.at_ms, o.account_id, o.number) < ($4::bigint, $5::integer, $6::text)
 ORDER BY o.at_ms DESC, o.account_id DESC, o.number DESC LIMIT $7;

-- name: page_of_blocks
-- Blocks below an id, newest first: $1 account or all, $2 those that forbid a number, $3 also those taken back.
SELECT b.block_id, b.prefix, b.kind, b.account_id, a.name AS account, b.reason, b.created_at, b.removed_at, b.consent
  FROM blocks b LEFT JOIN accounts a USING (account_id)
 WHERE ($1::integer IS NULL OR b.account_id = $1) AND ($2::text IS NULL OR starts_with($2, b.prefix))
   AND ($3::boolean OR b.removed_at IS NULL) AND b.block_id < $4::bigint
 ORDER BY b.block_id DESC LIMIT $5;
