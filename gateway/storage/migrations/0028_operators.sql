-- Operators of the console: users and their sessions, the audit log that cannot be changed unseen, resellers' trees of
-- accounts; and the role under which the HTTP API does what operators ask.

CREATE TABLE users (
    user_id              integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name                 text NOT NULL UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._@-]{1,63}$'),
    role                 text NOT NULL
                         CHECK (role IN ('superadmin', 'operator', 'finance', 'reseller', 'support', 'read_only')),
    account_id           integer REFERENCES accounts,    -- of a reseller: he sees and changes what is below it
    email                text NOT NULL DEFAULT '',
    phone                text NOT NULL DEFAULT '',
    language             text NOT NULL DEFAULT 'fr' CHECK (language IN ('fr', 'en')),
    state                text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended')),
    password_hash        text NOT NULL,                  -- argon2id
    must_change_password boolean NOT NULL DEFAULT true,
    totp_secret          text NOT NULL DEFAULT '',       -- base32 (RFC 4648); empty: no second factor
    totp_pending         text NOT NULL DEFAULT '',       -- shown, not confirmed by a code yet
    totp_last_step       bigint NOT NULL DEFAULT 0,      -- RFC 6238 5.2: a code serves once
    created_at           timestamptz NOT NULL DEFAULT now(),
    CHECK ((role = 'reseller') = (account_id IS NOT NULL))
);

CREATE TABLE user_recovery_codes (
    user_id   integer NOT NULL REFERENCES users,
    code_hash bytea NOT NULL,                            -- BLAKE2b-256 under api_secret
    PRIMARY KEY (user_id, code_hash)
);

-- A session ends at expires_at, after idle_s without a request, or when somebody ends it.
CREATE TABLE user_sessions (
    session_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    user_id    integer NOT NULL REFERENCES users,
    token_hash bytea NOT NULL UNIQUE,                    -- BLAKE2b-256 under api_secret
    address    text NOT NULL,
    agent      text NOT NULL,
    began_at   timestamptz NOT NULL DEFAULT now(),
    seen_at    timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    idle_s     integer NOT NULL CHECK (idle_s > 0),
    ended_at   timestamptz
);
CREATE INDEX user_sessions_by_user ON user_sessions (user_id, session_id);

-- What operators changed. mac: HMAC-SHA256, under a key made from api_secret, of the former row's mac and this row.
CREATE TABLE audit (
    seq        bigint PRIMARY KEY,                       -- without gap
    at_ms      bigint NOT NULL,
    user_id    integer NOT NULL,                         -- 0: the command line
    user_name  text NOT NULL,
    role       text NOT NULL,
    action     text NOT NULL,
    subject    text NOT NULL,
    account_id integer,                                  -- whose matter it is, where it is one account's
    address    text NOT NULL,
    request_id text NOT NULL,
    before     text NOT NULL,                            -- JSON as it was signed
    after      text NOT NULL,
    mac        bytea NOT NULL CHECK (octet_length(mac) = 32)
);
CREATE INDEX audit_by_subject ON audit (subject, seq);
CREATE INDEX audit_by_user ON audit (user_id, seq);
CREATE INDEX audit_by_account ON audit (account_id, seq) WHERE account_id IS NOT NULL;

-- The newest row of the chain; its lock puts writers into one order.
CREATE TABLE audit_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    seq bigint NOT NULL,
    mac bytea NOT NULL
);

-- ---------------------------------------------------------------- resellers

ALTER TABLE accounts ADD COLUMN parent_account_id integer REFERENCES accounts CHECK (parent_account_id <> account_id);
CREATE INDEX accounts_by_parent ON accounts (parent_account_id) WHERE parent_account_id IS NOT NULL;

-- The accounts below one, at any depth, without itself.
CREATE FUNCTION account_tree(root integer) RETURNS TABLE (account_id integer) LANGUAGE sql STABLE AS $$
    WITH RECURSIVE tree AS (
        SELECT a.account_id FROM accounts a WHERE a.parent_account_id = root
        UNION
        SELECT a.account_id FROM accounts a JOIN tree t ON a.parent_account_id = t.account_id
    )
    SELECT tree.account_id FROM tree
$$;

-- ---------------------------------------------------------------- the role

-- passerelle_api, the role of the HTTP API's process, steps into it (SET ROLE) for what operators ask, and inherits
-- nothing of it: what customers' requests run as may neither read users nor give credit.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'passerelle_operators') THEN
        CREATE ROLE passerelle_operators NOLOGIN;
    END IF;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'passerelle_api' AND rolinherit) THEN
        ALTER ROLE passerelle_api NOINHERIT;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_auth_members WHERE roleid = 'passerelle_operators'::regrole
                      AND member = 'passerelle_api'::regrole) THEN
        GRANT passerelle_operators TO passerelle_api;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL; -- another database of this server was migrated in the same moment
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION USING ERRCODE = 'PT003', MESSAGE = format(
            'the role passerelle_operators is missing and %s may not create roles: have an administrator run '
            '"CREATE ROLE passerelle_operators NOLOGIN; ALTER ROLE passerelle_api NOINHERIT; '
            'GRANT passerelle_operators TO passerelle_api", then migrate again', current_user);
END $$;

GRANT SELECT ON schema_migrations, accounts, sender_names, connectors, routes, rates, number_ranges, blocks, inbound_numbers,
    inbound_routes, refused_senders, opt_outs, ledger, nodes, node_streams, held_spans, messages, message_events, delayed,
    conversations, connector_reach, api_secret, inbound_messages, webhook_endpoints, webhook_deliveries, webhook_tries,
    account_events TO passerelle_operators;
GRANT SELECT (key_id, account_id, name, prefix, scopes, allow_cidrs, requests_per_s, traffic_class, created_at, expires_at,
    revoked_at) ON api_keys TO passerelle_operators;
GRANT SELECT, INSERT, UPDATE ON users TO passerelle_operators;
GRANT SELECT, INSERT, DELETE ON user_recovery_codes TO passerelle_operators;
GRANT SELECT, INSERT, UPDATE (seen_at, ended_at), DELETE ON user_sessions TO passerelle_operators;
GRANT SELECT, INSERT ON audit TO passerelle_operators;
GRANT SELECT, INSERT, UPDATE (seq, mac) ON audit_head TO passerelle_operators;

-- What they do is told to people and to webhooks, in the same transaction.
GRANT SELECT, INSERT (event, account_id, facts, once, told_at_ms) ON notices TO passerelle_operators;
GRANT SELECT, INSERT, UPDATE ON notice_preferences TO passerelle_operators;
GRANT SELECT ON notice_sendings, notice_watches TO passerelle_operators;
GRANT INSERT ON webhook_deliveries, account_events TO passerelle_operators;
