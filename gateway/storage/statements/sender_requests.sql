-- Sender names as customers ask for them and operators decide: the names, their proofs, their history, protected names.

-- name: lock_requests
-- One request of an account at a time.
SELECT pg_advisory_xact_lock(hashtext('sender requests'), $1::integer);

-- name: find_by_name
-- A sender name of an account, however it is written.
SELECT sender_name_id, state FROM sender_names WHERE account_id = $1 AND lower(name) = lower($2) ORDER BY sender_name_id LIMIT 1;

-- name: count_requested
-- How many names of an account wait for a decision.
SELECT count(*) FROM sender_names WHERE account_id = $1 AND state = 'requested';

-- name: add_request
-- Asks for a name.
INSERT INTO sender_names (account_id, name, state, countries, traffic_class, purpose, sample, resembles)
VALUES ($1, $2, 'requested', $3, $4, $5, $6, $7) RETURNING sender_name_id;

-- name: renew_request
-- Asks again for a name that was refused or withdrawn.
UPDATE sender_names SET state = 'requested', decided_at = NULL, reason = '', in_countries = '{}', by_connectors = '{}', until_ms = 0,
       countries = $3, traffic_class = $4, purpose = $5, sample = $6, resembles = $7
 WHERE account_id = $1 AND sender_name_id = $2;

-- name: lock_sender_name
-- A sender name, nobody else deciding it until the transaction ends; $1 account or any.
SELECT sender_name_id, account_id, name, state FROM sender_names
 WHERE ($1::integer IS NULL OR account_id = $1) AND sender_name_id = $2 FOR UPDATE;

-- name: lock_sender_by_name
-- The same by an account's name for it.
SELECT sender_name_id, account_id, name, state FROM sender_names WHERE account_id = $1 AND name = $2 FOR UPDATE;

-- name: move_sender_name
-- Puts a sender name in another state, with what its approval says.
UPDATE sender_names SET state = $2, reason = $3, in_countries = $4, by_connectors = $5, until_ms = $6, decided_at = now()
 WHERE sender_name_id = $1;

-- name: note_sender_event
-- What happened to a sender name.
INSERT INTO sender_name_history (sender_name_id, event, state, asked_by, reason, in_countries, by_connectors, until_ms, despite)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: page_of_sender_names
-- Sender names below an id, newest first: $1 account or any, $2 state or any, $3 only those that look like protected ones.
SELECT s.sender_name_id, s.account_id, a.name AS account, s.name, s.state, s.countries, s.traffic_class, s.purpose, s.sample,
       s.resembles, s.reason, s.in_countries, s.by_connectors, s.until_ms, s.created_at, s.decided_at
  FROM sender_names s JOIN accounts a USING (account_id)
 WHERE ($1::integer IS NULL OR s.account_id = $1) AND ($2::text IS NULL OR s.state = $2) AND (NOT $3::boolean OR s.resembles <> '')
   AND s.sender_name_id < $4::bigint ORDER BY s.sender_name_id DESC LIMIT $5;

-- name: add_proof
-- Stores a paper of a sender name, unless it has as many as it may ($7), or is not this account's.
INSERT INTO sender_proofs (sender_name_id, account_id, file_name, kind, content, sha256)
SELECT s.sender_name_id, s.account_id, $3, $4, $5, $6 FROM sender_names s
 WHERE s.account_id = $1 AND s.sender_name_id = $2
   AND (SELECT count(*) FROM sender_proofs p WHERE p.sender_name_id = s.sender_name_id) < $7
RETURNING proof_id;

-- name: list_proofs
-- The papers of sender names, without what they say.
SELECT sender_name_id, proof_id, file_name, kind, octet_length(content) AS octets, encode(sha256, 'hex') AS sha256, created_at
  FROM sender_proofs WHERE sender_name_id = ANY ($1::integer[]) ORDER BY proof_id;

-- name: fetch_proof
-- One paper: $1 account or any.
SELECT file_name, kind, content FROM sender_proofs
 WHERE ($1::integer IS NULL OR account_id = $1) AND sender_name_id = $2 AND proof_id = $3;

-- name: sender_name_history
-- What happened to a sender name, oldest first.
SELECT at, event, state, asked_by, reason, in_countries, by_connectors, until_ms, despite FROM sender_name_history
 WHERE sender_name_id = $1 ORDER BY entry_id;

-- name: load_protected_names
-- Names that others must not imitate in these countries; of none: in all.
SELECT name, country, whole_only FROM protected_names
 WHERE cardinality($1::text[]) = 0 OR country = ANY ($1::text[]) ORDER BY country, name;

-- name: list_protected_names
-- All of them, with their source.
SELECT protected_name_id, name, country, kind, whole_only, source, created_at FROM protected_names
 WHERE $1::text IS NULL OR country = $1 ORDER BY country, name, protected_name_id;

-- name: add_protected_name
-- Protects a name in a country; no row when it is protected there.
INSERT INTO protected_names (name, country, kind, whole_only, source) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (name, country) DO NOTHING RETURNING protected_name_id;

-- name: remove_protected_name
-- Protects a name no more.
DELETE FROM protected_names WHERE protected_name_id = $1 RETURNING name, country, kind, whole_only, source, created_at;
