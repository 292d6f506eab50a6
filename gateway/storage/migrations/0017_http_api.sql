-- The HTTP API: its own role and what that may do, keys of customers, what makes a request safe to repeat.

-- ---------------------------------------------------------------- what belongs to the API

ALTER TABLE nodes ADD COLUMN kind text NOT NULL DEFAULT 'node' CHECK (kind IN ('node', 'api')); -- api: accepts, sends nothing, inherits nobody

-- What signs cursors and keys the hashes of API keys, the same for every process of the API.
CREATE TABLE api_secret (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    secret bytea NOT NULL CHECK (octet_length(secret) = 32)
);
INSERT INTO api_secret (secret)
SELECT sha256(string_agg(uuid_send(gen_random_uuid()), ''::bytea)) FROM generate_series(1, 4);

-- A login by HTTP. The key itself is shown once and stored nowhere: key_hash is BLAKE2b-256 of it under api_secret.
CREATE TABLE api_keys (
    key_id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id    integer NOT NULL REFERENCES accounts,
    name          text NOT NULL CHECK (name <> ''),
    prefix        text NOT NULL UNIQUE,          -- the part of the key that people see
    key_hash      bytea NOT NULL UNIQUE,
    scopes        text[] NOT NULL,
    allow_cidrs   text[] NOT NULL DEFAULT '{}',  -- empty: from anywhere
    requests_per_s integer NOT NULL DEFAULT 100 CHECK (requests_per_s >= 0), -- 0: no limit
    traffic_class text NOT NULL DEFAULT 'transactional' -- of messages that name none
                  CHECK (traffic_class IN ('otp', 'transactional', 'marketing', 'service')),
    created_at    timestamptz NOT NULL DEFAULT now(),
    expires_at    timestamptz,                   -- NULL: never
    revoked_at    timestamptz
);
CREATE INDEX api_keys_by_account ON api_keys (account_id);

-- One answer for one key of an account and route, kept for 72 h: stored in the transaction that stores its messages.
CREATE TABLE idempotency_keys (
    account_id    integer NOT NULL,
    route         text NOT NULL,
    key           text NOT NULL,
    body_hash     bytea NOT NULL,
    message_ids   bigint[] NOT NULL,             -- of the answer's results, in order; 0: refused by a rule
    answer        bytea NOT NULL,                -- as if everything admitted had been affordable
    created_at_ms bigint NOT NULL,
    PRIMARY KEY (account_id, route, key)
);
CREATE INDEX idempotency_keys_by_age ON idempotency_keys (created_at_ms);

-- The customer's own names of messages, each used once.
CREATE TABLE client_refs (
    account_id integer NOT NULL,
    client_ref text NOT NULL,
    message_id bigint NOT NULL,
    PRIMARY KEY (account_id, client_ref)
);

-- ---------------------------------------------------------------- the role

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'passerelle_api') THEN
        CREATE ROLE passerelle_api LOGIN;
    END IF;
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN
        NULL; -- another database of this server was migrated in the same moment
    WHEN insufficient_privilege THEN
        RAISE EXCEPTION USING ERRCODE = 'PT003', MESSAGE = format(
            'the role passerelle_api is missing and %s may not create roles: have an administrator run '
            '"CREATE ROLE passerelle_api LOGIN", then migrate again', current_user);
END $$;

-- What it reads: facts, messages, money, nodes.
GRANT SELECT ON schema_migrations, accounts, sender_names, connectors, routes, rates, number_ranges, blocks, inbound_numbers,
    inbound_routes, refused_senders, opt_outs, ledger, nodes, node_streams, held_spans, messages, message_events, delayed,
    conversations, recall_wishes, connector_reach, api_secret, api_keys, idempotency_keys, client_refs TO passerelle_api;
GRANT SELECT (esme_id, long_inbound) ON esmes TO passerelle_api;

-- What accepting a message writes.
GRANT UPDATE (balance_micros) ON accounts TO passerelle_api;
GRANT INSERT ON messages, delayed, open_attempts TO passerelle_api;
GRANT INSERT (span_id, connector_id, lane, account_id, from_id) ON handed_over TO passerelle_api;
GRANT INSERT (account_id, kind, from_purse, to_purse, amount_micros, message_count) ON ledger TO passerelle_api;
GRANT INSERT, DELETE ON idempotency_keys, client_refs TO passerelle_api;
GRANT INSERT, UPDATE ON conversations TO passerelle_api;

-- Its seat among the nodes, and what it asks of the others.
GRANT INSERT (name, kind), UPDATE ON nodes TO passerelle_api;
GRANT INSERT, UPDATE ON node_streams TO passerelle_api;
GRANT INSERT (of_node, from_id, until_id, holder_node) ON held_spans TO passerelle_api;
GRANT INSERT (holder_node, account_id, message_id, changes), DELETE ON recall_wishes TO passerelle_api;

-- It takes seats of its own kind only: it can fence no node. Everybody else is as free as before.
ALTER TABLE nodes ENABLE ROW LEVEL SECURITY;
CREATE POLICY others ON nodes USING (current_user <> 'passerelle_api');
CREATE POLICY api_reads ON nodes FOR SELECT TO passerelle_api USING (true);
CREATE POLICY api_sits ON nodes FOR INSERT TO passerelle_api WITH CHECK (kind = 'api');
CREATE POLICY api_lives ON nodes FOR UPDATE TO passerelle_api USING (kind = 'api');
ALTER TABLE node_streams ENABLE ROW LEVEL SECURITY;
CREATE POLICY others ON node_streams USING (current_user <> 'passerelle_api');
CREATE POLICY api_writes ON node_streams TO passerelle_api
    USING (EXISTS (SELECT FROM nodes n WHERE n.node_id = node_streams.node_id AND n.kind = 'api'));
ALTER TABLE held_spans ENABLE ROW LEVEL SECURITY;
CREATE POLICY others ON held_spans USING (current_user <> 'passerelle_api');
CREATE POLICY api_reads ON held_spans FOR SELECT TO passerelle_api USING (true);
CREATE POLICY api_begins ON held_spans FOR INSERT TO passerelle_api
    WITH CHECK (holder_node = of_node AND EXISTS (SELECT FROM nodes n WHERE n.node_id = of_node AND n.kind = 'api'));

-- It holds credit and gives none: of postings it writes holds only, and a balance it touches only falls.
ALTER TABLE ledger ENABLE ROW LEVEL SECURITY;
CREATE POLICY others ON ledger USING (current_user <> 'passerelle_api');
CREATE POLICY api_reads ON ledger FOR SELECT TO passerelle_api USING (true);
CREATE POLICY api_holds ON ledger FOR INSERT TO passerelle_api WITH CHECK (kind = 'hold');
CREATE FUNCTION refuse_to_give_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the role passerelle_api may hold credit, never give it';
END $$;
CREATE TRIGGER api_gives_no_credit BEFORE UPDATE OF balance_micros ON accounts FOR EACH ROW
    WHEN (NEW.balance_micros > OLD.balance_micros AND current_user = 'passerelle_api') EXECUTE FUNCTION refuse_to_give_credit();
