-- Accounts as operators see and change them. A reseller's user sees those below his own account ($1 of most): NULL for
-- everybody else. Money is not changed here.

-- name: list_accounts
-- Accounts by name after one, in a state and directly below an account where that is asked.
SELECT a.account_id, a.name, a.state, a.parent_account_id, a.balance_micros, a.credit_limit_micros, a.default_region, a.language,
       a.masked_refusals, a.tps, a.per_minute, a.per_day, a.created_at
  FROM accounts a
 WHERE a.name > $2 AND ($3::text IS NULL OR a.state = $3) AND ($4::integer IS NULL OR a.parent_account_id = $4)
   AND ($5::text IS NULL OR strpos(lower(a.name), lower($5)) > 0)
   AND ($1::integer IS NULL OR a.account_id IN (SELECT t.account_id FROM account_tree($1) t))
 ORDER BY a.name LIMIT $6;

-- name: load_account
-- One account, locked where it is to be changed.
SELECT a.account_id, a.name, a.state, a.parent_account_id, a.balance_micros, a.credit_limit_micros, a.default_region, a.language,
       a.masked_refusals, a.tps, a.per_minute, a.per_day, a.created_at
  FROM accounts a
 WHERE a.account_id = $2 AND ($1::integer IS NULL OR a.account_id IN (SELECT t.account_id FROM account_tree($1) t))
   FOR NO KEY UPDATE OF a;

-- name: open_account
-- Opens an account without credit below another one, or below none; no row when the name is taken.
INSERT INTO accounts (name, parent_account_id, default_region, language, tps, per_minute, per_day)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO NOTHING RETURNING account_id;

-- name: change_account
-- All that may be changed of an account here.
UPDATE accounts SET parent_account_id = $2, default_region = $3, language = $4, masked_refusals = $5, tps = $6, per_minute = $7,
       per_day = $8
 WHERE account_id = $1;

-- name: level_of_account
-- How many accounts stand above one, itself counted; 0 for an unknown one.
WITH RECURSIVE above AS (
    SELECT account_id, parent_account_id FROM accounts WHERE account_id = $1
    UNION
    SELECT a.account_id, a.parent_account_id FROM accounts a JOIN above b ON a.account_id = b.parent_account_id
)
SELECT count(*) FROM above;

-- name: depth_below_account
-- How many levels stand below one.
WITH RECURSIVE below AS (
    SELECT account_id, 0 AS depth FROM accounts WHERE account_id = $1
    UNION
    SELECT a.account_id, b.depth + 1 FROM accounts a JOIN below b ON a.parent_account_id = b.account_id WHERE b.depth < 100
)
SELECT max(depth) FROM below;

-- name: is_below_account
-- Whether the account $2 stands below $1.
SELECT EXISTS (SELECT FROM account_tree($1) t WHERE t.account_id = $2);

-- name: open_children
-- How many accounts directly below one are not closed.
SELECT count(*) FROM accounts WHERE parent_account_id = $1 AND state <> 'closed';

-- name: lock_tree
-- One change of trees and prices below accounts at a time, so that no two make a fault together (7063: chosen, as 7062).
SELECT pg_advisory_xact_lock(7063);

-- name: load_parents
-- The account above each that has one.
SELECT account_id, parent_account_id FROM accounts WHERE parent_account_id IS NOT NULL;

-- name: account_rates
-- An account's own prices in force.
SELECT prefix, price_micros, created_at FROM rates WHERE account_id = $1 AND replaced_at IS NULL ORDER BY prefix;

-- name: account_history
-- What was changed of an account, newest first.
SELECT changed_at, field, former, became FROM account_history WHERE account_id = $1 ORDER BY changed_at DESC, field LIMIT $2;
