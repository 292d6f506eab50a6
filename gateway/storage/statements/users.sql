-- Operators: users, what proves them, their sessions. What is a secret is a hash here, but for TOTP's.

-- name: user_of_login
-- What a login is compared with.
SELECT user_id, name, role, account_id, language, state, password_hash, '' AS former_password_hash, 0 AS former_until_ms,
       must_change_password, totp_secret, totp_last_step
  FROM users WHERE name = $1;

-- name: find_session
-- The living session of a hash with its user, who is active; a reseller's account is, too.
SELECT s.session_id, u.user_id, u.name, u.role, u.account_id, u.language, u.must_change_password,
       u.totp_secret <> '' AS has_totp, s.expires_at, s.seen_at < now() - make_interval(secs => $2) AS is_stale
  FROM user_sessions s JOIN users u USING (user_id) LEFT JOIN accounts a ON a.account_id = u.account_id
 WHERE s.token_hash = $1 AND s.ended_at IS NULL AND s.expires_at > now()
   AND s.seen_at > now() - make_interval(secs => s.idle_s)
   AND u.state = 'active' AND coalesce(a.state, 'active') = 'active';

-- name: touch_session
-- Somebody was there just now.
UPDATE user_sessions SET seen_at = now() WHERE session_id = $1;

-- name: begin_session
-- A session from an address, for so many seconds in all and without a request.
INSERT INTO user_sessions (user_id, token_hash, address, agent, expires_at, idle_s)
VALUES ($1, $2, $3, $4, now() + make_interval(secs => $5), $6) RETURNING session_id, expires_at;

-- name: end_oldest_sessions
-- Ends a user's sessions but the newest so many.
UPDATE user_sessions SET ended_at = now() WHERE ended_at IS NULL AND user_id = $1 AND session_id NOT IN (
    SELECT session_id FROM user_sessions WHERE user_id = $1 AND ended_at IS NULL ORDER BY session_id DESC LIMIT $2);

-- name: living_sessions
-- A user's sessions, newest first.
SELECT session_id, address, agent, began_at, seen_at, expires_at FROM user_sessions
 WHERE user_id = $1 AND ended_at IS NULL AND expires_at > now() AND seen_at > now() - make_interval(secs => idle_s)
 ORDER BY session_id DESC;

-- name: end_session
-- Ends one session of a user; no row when there is none that lives.
UPDATE user_sessions SET ended_at = now() WHERE user_id = $1 AND session_id = $2 AND ended_at IS NULL RETURNING session_id;

-- name: end_sessions
-- Ends every session of a user but one (0: none is spared).
UPDATE user_sessions SET ended_at = now() WHERE user_id = $1 AND session_id <> $2 AND ended_at IS NULL RETURNING session_id;

-- name: bury_sessions
-- Forgets what ended long ago.
DELETE FROM user_sessions WHERE least(ended_at, expires_at) < now() - make_interval(days => $1);

-- name: set_password
-- A new password, whether it must be changed at the next login.
UPDATE users SET password_hash = $2, must_change_password = $3 WHERE user_id = $1 RETURNING user_id;

-- name: use_totp_step
-- Takes a code's time step; no row when that one or a later one served before.
UPDATE users SET totp_last_step = $2 WHERE user_id = $1 AND totp_last_step < $2 RETURNING user_id;

-- name: use_recovery_code
-- Takes a recovery code; no row when there is none of this hash.
DELETE FROM user_recovery_codes WHERE user_id = $1 AND code_hash = $2 RETURNING user_id;

-- name: propose_totp
-- Remembers a secret that was shown, until a code confirms it.
UPDATE users SET totp_pending = $2 WHERE user_id = $1;

-- name: pending_totp
-- What waits for its first code; empty for nothing.
SELECT totp_pending FROM users WHERE user_id = $1;

-- name: confirm_totp
-- Puts the shown secret in force, its first code used; no row when another was shown since.
UPDATE users SET totp_secret = totp_pending, totp_pending = '', totp_last_step = $3
 WHERE user_id = $1 AND totp_pending = $2 RETURNING user_id;

-- name: remove_totp
-- A user without second factor; no row when he had none.
UPDATE users SET totp_secret = '', totp_pending = '' WHERE user_id = $1 AND totp_secret <> '' RETURNING user_id;

-- name: forget_recovery_codes
-- None of the codes given before serves any more.
DELETE FROM user_recovery_codes WHERE user_id = $1;

-- name: add_recovery_codes
-- Codes that serve once each, by their hashes.
INSERT INTO user_recovery_codes (user_id, code_hash) SELECT $1, unnest($2::bytea[]);

-- name: count_recovery_codes
-- How many codes are left.
SELECT count(*) FROM user_recovery_codes WHERE user_id = $1;

-- name: add_user
-- A new user; no row when the name is taken.
INSERT INTO users (name, role, account_id, email, phone, language, password_hash) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (name) DO NOTHING RETURNING user_id;

-- name: list_users
-- Users by name after one; of all states.
SELECT u.user_id, u.name, u.role, u.account_id, u.email, u.phone, u.language, u.state, u.must_change_password,
       u.totp_secret <> '' AS has_totp, u.created_at
  FROM users u WHERE u.name > $1 ORDER BY u.name LIMIT $2;

-- name: load_user
-- One user, locked where it is to be changed.
SELECT u.user_id, u.name, u.role, u.account_id, u.email, u.phone, u.language, u.state, u.must_change_password,
       u.totp_secret <> '' AS has_totp, u.created_at
  FROM users u WHERE u.user_id = $1 FOR UPDATE;

-- name: user_id_of_name
-- The user of a name.
SELECT user_id FROM users WHERE name = $1;

-- name: change_user
-- All that may be changed of a user.
UPDATE users SET role = $2, account_id = $3, email = $4, phone = $5, language = $6, state = $7 WHERE user_id = $1;

-- name: lock_superadmins
-- Active superadmins, locked, so that two changes at once cannot take the last two away.
SELECT user_id FROM users WHERE role = 'superadmin' AND state = 'active' ORDER BY user_id FOR UPDATE;
