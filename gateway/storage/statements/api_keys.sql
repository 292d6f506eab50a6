-- API keys: logins by HTTP. The words themselves are nowhere; a key is found by its hash.

-- name: api_secret
-- What keys the hashes of API keys and signs cursors.
SELECT secret FROM api_secret;

-- name: find_api_key
-- The key of a hash, whatever became of it, with its account's language; expired: as the database's clock says.
SELECT k.key_id, k.account_id, k.name, k.prefix, k.scopes, k.allow_cidrs, k.requests_per_s, k.traffic_class, a.language,
       k.revoked_at IS NULL AND coalesce(k.expires_at > now(), true) AS valid
  FROM api_keys k JOIN accounts a USING (account_id) WHERE k.key_hash = $1;

-- name: add_api_key
-- Gives an account a key.
INSERT INTO api_keys (account_id, name, prefix, key_hash, scopes, allow_cidrs, requests_per_s, traffic_class, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) RETURNING key_id;

-- name: list_api_keys
-- The keys of one account, or of all, without their hashes.
SELECT k.prefix, a.name AS account, k.name, k.scopes, k.allow_cidrs, k.requests_per_s, k.traffic_class, k.created_at, k.expires_at,
       k.revoked_at
  FROM api_keys k JOIN accounts a USING (account_id)
 WHERE $1::integer IS NULL OR k.account_id = $1 ORDER BY a.name, k.key_id;

-- name: copy_api_key
-- A new key with everything another one has that is still valid, but its end; no row when there is none of this prefix.
INSERT INTO api_keys (account_id, name, prefix, key_hash, scopes, allow_cidrs, requests_per_s, traffic_class)
SELECT account_id, name, $2, $3, scopes, allow_cidrs, requests_per_s, traffic_class FROM api_keys
 WHERE prefix = $1 AND revoked_at IS NULL AND coalesce(expires_at > now(), true) RETURNING key_id;

-- name: end_api_key
-- Lets a key live so many seconds longer, and no longer than it would have.
UPDATE api_keys SET expires_at = least(expires_at, now() + make_interval(secs => $2)) WHERE prefix = $1 RETURNING expires_at;

-- name: revoke_api_key
-- Ends a key at once; no row when it was revoked before, or there is none.
UPDATE api_keys SET revoked_at = now() WHERE prefix = $1 AND revoked_at IS NULL RETURNING prefix;
