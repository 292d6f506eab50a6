-- A node's registration and what it tells of itself.

-- name: node_id
-- The id of a node that has lived before.
SELECT node_id FROM nodes WHERE name = $1;

-- name: new_node
-- Registers a node's name.
INSERT INTO nodes (name, kind) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET name = excluded.name RETURNING node_id;

-- name: new_epoch
-- Begins a new life of a node: older processes of that name can write nothing from here on.
WITH risen AS (
    UPDATE nodes SET epoch = epoch + 1, started_at = now(), seen_at = now() WHERE node_id = $1 RETURNING node_id, epoch, swept_until_ms, owed_from_id
), streams AS (
    INSERT INTO node_streams (node_id, stream, epoch, batch)
    SELECT risen.node_id, s.name, risen.epoch, 0 FROM risen, (VALUES ('accept'), ('settle')) AS s (name)
    ON CONFLICT (node_id, stream) DO UPDATE SET epoch = excluded.epoch
    RETURNING stream, batch, last_id
)
SELECT epoch, swept_until_ms, owed_from_id,
       (SELECT batch FROM streams WHERE stream = 'accept') AS accept_batch,
       (SELECT max(last_id) FROM streams) AS last_id,
       (SELECT batch FROM streams WHERE stream = 'settle') AS settle_batch
FROM risen;

-- name: tell
-- What a living node shows of itself, and until when it has swept.
UPDATE nodes SET live = $3::jsonb, swept_until_ms = $4, owed_from_id = $5 WHERE node_id = $1 AND epoch = $2;

-- name: ledger_imbalance
-- Micros by which balances differ from the ledger: must be 0.
SELECT coalesce(sum(abs(a.balance_micros - coalesce(l.amount, 0))), 0)::bigint FROM accounts a
LEFT JOIN (SELECT account_id, sum(amount_micros) AS amount FROM ledger_legs WHERE purse = 'available' GROUP BY account_id) l USING (account_id);
