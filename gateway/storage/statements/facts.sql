-- Facts that change while nodes run: who may send, under which name, where to, at what price.
-- Every write here fires the trigger facts_changed, so that living nodes read again.

-- name: load_accounts
-- Every account, whatever its state: a node answers for suspended ones too.
SELECT account_id, name, state, balance_micros, credit_limit_micros, default_region, masked_refusals,
       tps, per_minute, per_day
  FROM accounts ORDER BY account_id;

-- name: load_esmes
-- Every SMPP login.
SELECT esme_id, system_id, account_id, password_hash, state, max_binds, window_size, tps, allow_cidrs, traffic_class,
       v34_bind_errors, max_transmitters, max_receivers, max_transceivers, former_password_hash, former_until_ms,
       receipts_first, receipt_for_each_part, default_alphabet
  FROM esmes ORDER BY esme_id;

-- name: load_sender_names
-- The sender names that may be used now.
SELECT account_id, name, in_countries, by_connectors, until_ms FROM sender_names WHERE state = 'approved' ORDER BY account_id, name;

-- name: load_connectors
-- Every connector that a row ever spoke of; the configuration says which of them run.
SELECT connector_id, name, kind, alphanumeric_senders, wish, tlvs::text FROM connectors ORDER BY connector_id;

-- name: load_routes
-- Every route, the disabled ones too: the table must still check them.
SELECT route_id, "order", prefix, mcc, mnc, account_id, sender, traffic_class, windows, connector_id, weight, enabled,
       cost_micros
  FROM routes ORDER BY "order", route_id;

-- name: load_rates
-- The rates in force.
SELECT rate_id, account_id, prefix, price_micros FROM rates WHERE replaced_at IS NULL ORDER BY rate_id;

-- name: load_number_ranges
-- Which network a prefix belongs to.
SELECT prefix, mcc, mnc, operator FROM number_ranges ORDER BY prefix;

-- name: load_blocks
-- Every legal block.
SELECT block_id, account_id, prefix, kind, reason FROM blocks WHERE removed_at IS NULL ORDER BY block_id;

-- name: load_inbound_numbers
-- Which ESME takes what handsets send to a number.
SELECT address, account_id, esme_id FROM inbound_numbers ORDER BY address;

-- name: add_account
-- Opens an account without credit; no row when the name is taken.
INSERT INTO accounts (name, credit_limit_micros, default_region) VALUES ($1, $2, $3)
ON CONFLICT (name) DO NOTHING RETURNING account_id;

-- name: top_up
-- Posts credit and moves the balance with it, in one statement; returns the new balance.
WITH posted AS (
    INSERT INTO ledger (account_id, kind, from_purse, to_purse, amount_micros, reason)
    VALUES ($1, 'top_up', 'funding', 'available', $2, $3)
    RETURNING account_id, amount_micros
)
UPDATE accounts SET balance_micros = balance_micros + posted.amount_micros
  FROM posted WHERE accounts.account_id = posted.account_id
RETURNING balance_micros;

-- name: add_esme
-- Opens an SMPP login; no row when the system_id is taken.
INSERT INTO esmes (system_id, account_id, password_hash, max_binds, window_size, tps, allow_cidrs, traffic_class)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (system_id) DO NOTHING RETURNING esme_id;

-- name: list_esmes
-- The SMPP logins with the name of who pays, without their secrets.
SELECT e.system_id, a.name AS account, e.state, e.max_binds, e.max_transmitters, e.max_receivers, e.max_transceivers,
       e.window_size, e.tps, e.allow_cidrs, e.traffic_class,
       CASE WHEN e.former_until_ms > 0 THEN to_timestamp(e.former_until_ms / 1000.0) END AS former_password_until
  FROM esmes e JOIN accounts a USING (account_id) ORDER BY e.system_id;

-- name: add_sender_name
-- Registers a sender name, asked for or already decided; no row when the account has it.
INSERT INTO sender_names (account_id, name, state, decided_at)
VALUES ($1, $2, $3, CASE WHEN $3 = 'requested' THEN NULL ELSE now() END)
ON CONFLICT (account_id, name) DO NOTHING RETURNING state;

-- name: list_sender_names
-- The sender names of one account, or of all.
SELECT a.name AS account, s.name, s.state, s.created_at, s.decided_at
  FROM sender_names s JOIN accounts a USING (account_id)
 WHERE $1::integer IS NULL OR s.account_id = $1 ORDER BY a.name, s.name;

-- name: ensure_connector
-- The id of a connector by its name; makes its row at the first mention.
WITH made AS (
    INSERT INTO connectors (name, kind) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING connector_id
)
SELECT connector_id FROM made UNION ALL SELECT connector_id FROM connectors WHERE name = $1;

-- name: say_connector_senders
-- Says whether a connector carries sender names; nothing is written, and no node told, when that is known.
UPDATE connectors SET alphanumeric_senders = $2 WHERE connector_id = $1 AND alphanumeric_senders <> $2;

-- name: say_connector_tlvs
-- Says which TLVs of its own a connector declares; nothing is written when that is known.
UPDATE connectors SET tlvs = $2::jsonb WHERE connector_id = $1 AND tlvs <> $2::jsonb;

-- name: add_route
-- Adds a rule that chooses a connector.
INSERT INTO routes ("order", prefix, mcc, mnc, account_id, sender, traffic_class, windows, connector_id, weight, cost_micros)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING route_id;

-- name: list_routes
-- The routes in the order they are asked, in names.
SELECT r.route_id, r."order", r.prefix, r.mcc, r.mnc, a.name AS account, r.sender, r.traffic_class, r.windows,
       c.name AS connector, r.weight, r.enabled,
       ARRAY(SELECT s.sender FROM refused_senders s WHERE s.connector_id = r.connector_id ORDER BY 1) AS senders_disabled
  FROM routes r JOIN connectors c USING (connector_id) LEFT JOIN accounts a USING (account_id)
 ORDER BY r."order", r.route_id;

-- name: remove_route
-- Takes a rule away; messages already routed by it keep their choice.
DELETE FROM routes WHERE route_id = $1 RETURNING route_id;

-- name: close_rate
-- Ends the rate in force of this account (or of all) and prefix; its row stays as history.
UPDATE rates SET replaced_at = now()
 WHERE replaced_at IS NULL AND coalesce(account_id, 0) = coalesce($1::integer, 0) AND prefix = $2
RETURNING price_micros;

-- name: open_rate
-- Puts a rate in force.
INSERT INTO rates (account_id, prefix, price_micros) VALUES ($1, $2, $3) RETURNING rate_id;

-- name: list_rates
-- The rates, those in force first; $1 false leaves history out.
SELECT a.name AS account, r.prefix, r.price_micros, r.created_at, r.replaced_at
  FROM rates r LEFT JOIN accounts a USING (account_id)
 WHERE r.replaced_at IS NULL OR $1::boolean
 ORDER BY r.replaced_at IS NOT NULL, a.name NULLS FIRST, r.prefix, r.rate_id DESC;

-- name: add_inbound_number
-- Gives a number that handsets write to to an ESME; no row when it belongs to one.
INSERT INTO inbound_numbers (address, account_id, esme_id) VALUES ($1, $2, $3)
ON CONFLICT (address) DO NOTHING RETURNING address;

-- name: list_inbound_numbers
-- The numbers that handsets write to, and whose they are.
SELECT n.address, a.name AS account, e.system_id
  FROM inbound_numbers n JOIN accounts a ON a.account_id = n.account_id LEFT JOIN esmes e ON e.esme_id = n.esme_id
 ORDER BY n.address;

-- name: add_block
-- Forbids a destination, to one account or to all; no row when the same block stands.
INSERT INTO blocks (account_id, prefix, kind, reason)
SELECT $1::integer, $2, $3, $4
 WHERE NOT EXISTS (SELECT FROM blocks WHERE coalesce(account_id, 0) = coalesce($1::integer, 0)
                      AND prefix = $2 AND kind = $3 AND removed_at IS NULL)
RETURNING block_id;

-- name: list_blocks
-- The legal blocks and why they stand.
SELECT b.block_id, a.name AS account, b.prefix, b.kind, b.reason, b.created_at
  FROM blocks b LEFT JOIN accounts a USING (account_id) WHERE b.removed_at IS NULL ORDER BY b.prefix, b.block_id;

-- name: add_number_range
-- Says which network a prefix belongs to, or corrects it.
INSERT INTO number_ranges (prefix, mcc, mnc, operator) VALUES ($1, $2, $3, $4)
ON CONFLICT (prefix) DO UPDATE SET mcc = excluded.mcc, mnc = excluded.mnc, operator = excluded.operator;

-- name: set_account_state
-- Suspends, resumes or closes an account; no row when it is in none of the states that may go there.
UPDATE accounts SET state = $2 WHERE account_id = $1 AND state = ANY ($3::text[]) RETURNING state;

-- name: set_credit_limit
-- Says how far below zero an account may go; no row when it is below already.
UPDATE accounts SET credit_limit_micros = $2 WHERE account_id = $1 AND balance_micros + $2 >= 0 RETURNING balance_micros;

-- name: enable_route
-- Lets a rule choose, or keeps it from choosing; no row when there is none of this id.
UPDATE routes SET enabled = $2 WHERE route_id = $1 RETURNING route_id;

-- name: remove_block
-- Permits a destination again; the row stays as history, with the person's consent. Returns what was forbidden.
UPDATE blocks SET removed_at = now(), consent = $2 WHERE block_id = $1 AND removed_at IS NULL RETURNING prefix, kind;

-- name: remove_inbound_number
-- Takes a number that handsets write to from its ESME.
DELETE FROM inbound_numbers WHERE address = $1 RETURNING address;
