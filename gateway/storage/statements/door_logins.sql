-- Logins of the doors of other products (Kannel's sendsms, Jasmin's HTTP API): a name and a password each.

-- name: find_door_login
-- A login by its name, whether it is in force or not.
SELECT login_id, account_id, username, password_hash, traffic_class, default_sender, hex_may_be_utf8, allow_cidrs,
    revoked_at IS NULL AS valid
FROM door_logins WHERE username = $1;

-- name: add_door_login
-- A new login; nothing when the name is taken.
INSERT INTO door_logins (account_id, username, password_hash, traffic_class, default_sender, hex_may_be_utf8, allow_cidrs)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (username) DO NOTHING RETURNING login_id;

-- name: list_door_logins
-- The logins of an account, or of all (NULL), without their passwords.
SELECT d.username, a.name AS account, d.traffic_class, d.default_sender, d.hex_may_be_utf8, d.allow_cidrs, d.created_at,
    d.revoked_at
FROM door_logins d JOIN accounts a USING (account_id)
WHERE $1::integer IS NULL OR d.account_id = $1 ORDER BY d.username;

-- name: revoke_door_login
-- End a login; nothing when there is none in force.
UPDATE door_logins SET revoked_at = now() WHERE username = $1 AND revoked_at IS NULL RETURNING login_id;
