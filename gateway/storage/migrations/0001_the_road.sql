-- The tables of a message's life, its money, and the facts that change while the gateway runs.
-- Rules that every statement relies on:
--   * account_id stands in every key of a message, so that the tables can be distributed by account;
--   * message_id is unix milliseconds << 20 | node << 14 | counter: time-ordered, so a row's day (its partition) follows from its id;
--   * no column that changes after INSERT is indexed: updates stay in their page (HOT), fillfactor leaves them room;
--   * times are integers of milliseconds, money is integers of millionths of a credit.

CREATE FUNCTION require(ok boolean, complaint text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    -- Ends the whole statement, and so the whole batch, when a fact it was built on no longer holds.
    IF ok IS NOT TRUE THEN RAISE EXCEPTION USING ERRCODE = 'PT001', MESSAGE = complaint; END IF;
    RETURN true;
END $$;

-- ---------------------------------------------------------------- who pays

CREATE TABLE accounts (
    account_id          integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name                text NOT NULL UNIQUE CHECK (name <> ''),
    state               text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended', 'closed')),
    balance_micros      bigint NOT NULL DEFAULT 0,   -- what may still be held: the sum of the purse 'available'
    credit_limit_micros bigint NOT NULL DEFAULT 0 CHECK (credit_limit_micros >= 0),
    default_region      text,                         -- ISO 3166 region in which national numbers are read
    masked_refusals     boolean NOT NULL DEFAULT false, -- vendor statuses 0x0400.. are sent as 0x45 instead
    created_at          timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT balance_stays_within_credit CHECK (balance_micros + credit_limit_micros >= 0)
) WITH (fillfactor = 50);

-- A posting moves an amount from one purse to another, so that the ledger sums to zero by its shape.
-- One posting an account, kind and batch of messages; the message row is the document of its own hold.
CREATE TABLE ledger (
    posting_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id    integer NOT NULL REFERENCES accounts,
    kind          text NOT NULL CHECK (kind IN ('top_up', 'hold', 'capture', 'release', 'adjustment', 'refund')),
    from_purse    text NOT NULL,
    to_purse      text NOT NULL,
    amount_micros bigint NOT NULL CHECK (amount_micros > 0),
    message_count integer NOT NULL DEFAULT 0,
    reason        text,
    posted_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT purses_fit_kind CHECK ((kind, from_purse, to_purse) IN (
        ('top_up', 'funding', 'available'), ('refund', 'available', 'funding'),
        ('adjustment', 'funding', 'available'), ('adjustment', 'available', 'funding'),
        ('hold', 'available', 'held'), ('capture', 'held', 'spent'), ('release', 'held', 'available')))
);
CREATE INDEX ledger_by_account ON ledger (account_id, posting_id);

CREATE VIEW ledger_legs AS
    SELECT posting_id, account_id, kind, from_purse AS purse, -amount_micros AS amount_micros FROM ledger
    UNION ALL
    SELECT posting_id, account_id, kind, to_purse, amount_micros FROM ledger;

-- ---------------------------------------------------------------- facts: rows with history, reloaded by living nodes

CREATE TABLE esmes (
    esme_id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    system_id     text NOT NULL UNIQUE CHECK (octet_length(system_id) BETWEEN 1 AND 15),
    account_id    integer NOT NULL REFERENCES accounts,
    password_hash text NOT NULL,
    state         text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'suspended')),
    max_binds     integer NOT NULL DEFAULT 10 CHECK (max_binds BETWEEN 1 AND 1000),
    window_size   integer NOT NULL DEFAULT 100 CHECK (window_size BETWEEN 1 AND 1000),
    tps           integer NOT NULL DEFAULT 0 CHECK (tps >= 0),       -- 0: no limit
    allow_cidrs   text[] NOT NULL DEFAULT '{}',                      -- empty: from anywhere
    traffic_class text NOT NULL DEFAULT 'transactional'
                  CHECK (traffic_class IN ('otp', 'transactional', 'marketing', 'service')),
    v34_bind_errors boolean NOT NULL DEFAULT false,                  -- 0x0F / 0x0E instead of 0x0D
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sender_names (
    account_id integer NOT NULL REFERENCES accounts,
    name       text NOT NULL CHECK (name <> ''),
    state      text NOT NULL DEFAULT 'requested' CHECK (state IN ('requested', 'approved', 'refused', 'suspended')),
    decided_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, name)
);

CREATE TABLE connectors (
    connector_id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text NOT NULL UNIQUE CHECK (name <> ''),
    kind         text NOT NULL CHECK (kind IN ('smpp', 'sim', 'voice', 'http')),
    created_at   timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE routes (
    route_id      integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "order"       integer NOT NULL DEFAULT 100,
    prefix        text CHECK (prefix ~ '^([0-9]{1,15}|\*)$'),
    mcc           text CHECK (mcc ~ '^[0-9]{3}$'),
    mnc           text CHECK (mnc ~ '^[0-9]{2,3}$'),
    account_id    integer REFERENCES accounts,
    sender        text,
    traffic_class text CHECK (traffic_class IN ('otp', 'transactional', 'marketing', 'service')),
    windows       integer[] NOT NULL DEFAULT '{}',   -- pairs: first minute of the week, one past the last (Monday 00:00 UTC = 0)
    connector_id  smallint NOT NULL REFERENCES connectors,
    weight        integer NOT NULL DEFAULT 1 CHECK (weight BETWEEN 1 AND 10000),
    enabled       boolean NOT NULL DEFAULT true,
    created_at    timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_kind_of_destination CHECK ((prefix IS NULL) <> (mcc IS NULL)),
    CONSTRAINT mnc_needs_mcc CHECK (mnc IS NULL OR mcc IS NOT NULL)
);

CREATE TABLE rates (
    rate_id    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id integer REFERENCES accounts,          -- NULL: every account without a rate of its own
    prefix     text NOT NULL CHECK (prefix ~ '^([0-9]{1,15}|\*)$'),
    price_micros bigint NOT NULL CHECK (price_micros >= 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    replaced_at timestamptz                           -- history: a newer rate took its place
);
CREATE UNIQUE INDEX one_rate_in_force ON rates (coalesce(account_id, 0), prefix) WHERE replaced_at IS NULL;

CREATE TABLE number_ranges (
    prefix   text PRIMARY KEY CHECK (prefix ~ '^[0-9]{1,15}$'),
    mcc      text NOT NULL CHECK (mcc ~ '^[0-9]{3}$'),
    mnc      text NOT NULL CHECK (mnc ~ '^[0-9]{2,3}$'),
    operator text NOT NULL
);

-- Legal blocks: a person's refusal or a forbidden destination. account_id NULL: for everybody.
CREATE TABLE blocks (
    block_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id integer REFERENCES accounts,
    prefix     text NOT NULL CHECK (prefix ~ '^[0-9]{1,15}$'),
    kind       text NOT NULL CHECK (kind IN ('destination', 'opt_out')),
    reason     text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

-- Where what handsets send us goes: the number they wrote to belongs to an account's ESME.
CREATE TABLE inbound_numbers (
    address    text PRIMARY KEY CHECK (address <> ''),
    account_id integer NOT NULL REFERENCES accounts,
    esme_id    integer NOT NULL REFERENCES esmes,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE FUNCTION tell_nodes_that_facts_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('passerelle_facts', TG_TABLE_NAME);
    RETURN NULL;
END $$;
DO $$
DECLARE t text;
BEGIN
    FOREACH t IN ARRAY ARRAY['esmes', 'sender_names', 'connectors', 'routes', 'rates', 'number_ranges', 'blocks', 'inbound_numbers'] LOOP
        EXECUTE format('CREATE TRIGGER facts_changed AFTER INSERT OR UPDATE OR DELETE ON %I
                        FOR EACH STATEMENT EXECUTE FUNCTION tell_nodes_that_facts_changed()', t);
    END LOOP;
END $$;
-- Not on every change of balance, which every batch makes:
CREATE TRIGGER facts_changed AFTER INSERT OR UPDATE OF state, name, credit_limit_micros, default_region, masked_refusals OR DELETE
    ON accounts FOR EACH STATEMENT EXECUTE FUNCTION tell_nodes_that_facts_changed();

-- ---------------------------------------------------------------- nodes

CREATE TABLE nodes (
    node_id    smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY CHECK (node_id BETWEEN 1 AND 63),
    name       text NOT NULL UNIQUE,
    epoch      bigint NOT NULL DEFAULT 0,      -- one more at every start: a node that lost its place writes nothing
    started_at timestamptz,
    seen_at    timestamptz,
    swept_until_ms bigint NOT NULL DEFAULT 0,  -- every message whose validity ended before this is final
    owed_from_id   bigint NOT NULL DEFAULT 0,  -- below this id no receipt is owed without a row in waiting_notifications
    live       jsonb NOT NULL DEFAULT '{}'     -- what `passerelle binds` and `queue` show of a living node
) WITH (fillfactor = 50);

-- Each writing stream of a node repeats its epoch and its own count in every batch. So a stale node is refused, and after a
-- lost connection the count tells whether the last batch was committed.
CREATE TABLE node_streams (
    node_id smallint NOT NULL REFERENCES nodes,
    stream  text NOT NULL CHECK (stream IN ('accept', 'settle')),
    epoch   bigint NOT NULL,
    batch   bigint NOT NULL,
    PRIMARY KEY (node_id, stream)
) WITH (fillfactor = 50);

-- Below queued_from_id no message of this connector is queued in this node without a row in `delayed`.
CREATE TABLE connector_marks (
    node_id        smallint NOT NULL REFERENCES nodes,
    connector_id   smallint NOT NULL REFERENCES connectors,
    queued_from_id bigint NOT NULL,
    PRIMARY KEY (node_id, connector_id)
) WITH (fillfactor = 50);

-- ---------------------------------------------------------------- messages

CREATE TABLE messages (
    account_id       integer NOT NULL,
    message_id       bigint NOT NULL,
    esme_id          integer NOT NULL,
    connector_id     smallint NOT NULL,
    route_id         integer NOT NULL,
    traffic_class    text NOT NULL,
    part_count       smallint NOT NULL CHECK (part_count BETWEEN 1 AND 10),
    data_coding      smallint NOT NULL,
    price_micros     bigint NOT NULL CHECK (price_micros >= 0),
    expires_at_ms    bigint NOT NULL,
    not_before_ms    bigint NOT NULL DEFAULT 0,
    source_addr      text NOT NULL,
    destination_addr text NOT NULL,
    route_why        text NOT NULL,
    user_data        bytea NOT NULL,
    envelope         bytea NOT NULL,           -- msgpack of gateway.message.Envelope: the fields carried along unread
    -- from here on: what changes
    state            text NOT NULL CHECK (state IN ('queued', 'submitted', 'in_doubt', 'delivered', 'undeliverable', 'rejected',
                                                    'expired', 'deleted', 'unknown')),
    hold             text NOT NULL CHECK (hold IN ('held', 'captured', 'released')),
    notify           text NOT NULL CHECK (notify IN ('no', 'asked', 'done', 'dead')),
    part_states      text NOT NULL,            -- a letter a part: Q queued, S submitted, I in doubt, D delivered, F failed, U unknown
    smsc_message_ids text NOT NULL DEFAULT '', -- theirs, one a part, joined by octet 0x1F
    attempt_count    smallint NOT NULL DEFAULT 0,
    in_doubt_count   smallint NOT NULL DEFAULT 0,
    error            text NOT NULL DEFAULT '', -- the carrier's status or our reason, as in the glossary of errors
    submitted_at_ms  bigint NOT NULL DEFAULT 0,
    final_at_ms      bigint NOT NULL DEFAULT 0,
    notified_at_ms   bigint NOT NULL DEFAULT 0,
    revision         integer NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, message_id),
    CONSTRAINT final_closes_the_hold CHECK (hold <> 'held' OR state IN ('queued', 'submitted', 'in_doubt'))
) PARTITION BY RANGE (message_id);
CREATE INDEX messages_by_connector ON messages (connector_id, message_id);
CREATE INDEX messages_by_expiry ON messages (expires_at_ms);

-- No message leaves a final state, and no hold is closed twice: whatever a program believes.
CREATE FUNCTION refuse_to_reopen() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = 'PT002',
        MESSAGE = format('message %s: %s/%s cannot become %s/%s', OLD.message_id, OLD.state, OLD.hold, NEW.state, NEW.hold);
END $$;

-- Which attempts may be on a wire without a stored outcome: one row a batch, deleted with the last outcome of the batch.
CREATE TABLE open_attempts (
    node_id      smallint NOT NULL REFERENCES nodes,
    batch_id     bigint NOT NULL,
    opened_at_ms bigint NOT NULL,
    account_ids  integer[] NOT NULL,
    message_ids  bigint[] NOT NULL,
    PRIMARY KEY (node_id, batch_id)
);

-- Which message a carrier's id means, for receipts that come after the message left the node's memory.
CREATE TABLE smsc_ids (
    connector_id    smallint NOT NULL,
    id_key          text NOT NULL,             -- the id without its dress: lower case, no leading zeros
    smsc_message_id text NOT NULL,
    account_id      integer NOT NULL,
    message_id      bigint NOT NULL,
    part_no         smallint NOT NULL
) PARTITION BY RANGE (message_id);
CREATE INDEX smsc_ids_by_key ON smsc_ids (connector_id, id_key);

-- Receipts nobody waits for yet: they came before their response, or belong to an attempt in doubt.
CREATE TABLE parked_receipts (
    parked_id       bigint PRIMARY KEY,         -- as message ids are made
    connector_id    smallint NOT NULL,
    smsc_message_id text NOT NULL,
    source_addr     text NOT NULL,
    destination_addr text NOT NULL,
    message_state   smallint NOT NULL,
    error           text NOT NULL,
    done_at_ms      bigint NOT NULL,
    received_at_ms  bigint NOT NULL,
    raw             bytea NOT NULL
);

-- Messages that wait for a time: a retry, a schedule.
CREATE TABLE delayed (
    due_at_ms    bigint NOT NULL,
    account_id   integer NOT NULL,
    message_id   bigint NOT NULL,
    why          text NOT NULL,
    claimed_epoch bigint NOT NULL DEFAULT 0,   -- the life of a node that holds it in memory; a later life claims it again
    PRIMARY KEY (account_id, message_id)
);
CREATE INDEX delayed_by_due ON delayed (due_at_ms);

-- What an ESME has not taken yet, once it is more than a moment's wait: receipts and inbound messages.
CREATE TABLE waiting_notifications (
    esme_id    integer NOT NULL,
    account_id integer NOT NULL,
    message_id bigint NOT NULL,
    kind       text NOT NULL CHECK (kind IN ('receipt', 'inbound')),
    tries      smallint NOT NULL DEFAULT 0,
    due_at_ms  bigint NOT NULL,
    give_up_at_ms bigint NOT NULL,
    PRIMARY KEY (esme_id, message_id)
);

CREATE TABLE inbound_messages (
    message_id       bigint PRIMARY KEY,
    connector_id     smallint NOT NULL,
    account_id       integer,                  -- NULL: nobody owns the number it was sent to
    esme_id          integer,
    source_addr      text NOT NULL,
    destination_addr text NOT NULL,
    data_coding      smallint NOT NULL,
    user_data        bytea NOT NULL,
    envelope         bytea NOT NULL,
    state            text NOT NULL CHECK (state IN ('unrouted', 'due', 'done', 'dead')),
    received_at_ms   bigint NOT NULL,
    notified_at_ms   bigint NOT NULL DEFAULT 0
);

-- The uncommon facts of a message's life, in order: retries, doubts, conflicts. The common ones are columns of the message.
CREATE TABLE message_events (
    account_id integer NOT NULL,
    message_id bigint NOT NULL,
    at_ms      bigint NOT NULL,
    event      text NOT NULL,
    detail     text NOT NULL DEFAULT ''
);
CREATE INDEX message_events_by_message ON message_events (account_id, message_id);

-- Partitions of one UTC day, made ahead of need by every node at start and each hour.
CREATE FUNCTION ensure_day(day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    first bigint := (extract(epoch FROM day::timestamp) * 1000)::bigint << 20;
    past  bigint := (extract(epoch FROM (day + 1)::timestamp) * 1000)::bigint << 20;
    label text := to_char(day, 'YYYYMMDD');
BEGIN
    PERFORM pg_advisory_xact_lock(7061, 1);
    IF to_regclass('messages_' || label) IS NULL THEN
        EXECUTE format('CREATE TABLE messages_%s PARTITION OF messages FOR VALUES FROM (%s) TO (%s)
                        WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.5)', label, first, past);
        EXECUTE format('CREATE TRIGGER never_reopened BEFORE UPDATE ON messages_%s FOR EACH ROW
                        WHEN ((OLD.state NOT IN (''queued'', ''submitted'', ''in_doubt'') AND NEW.state <> OLD.state)
                              OR (OLD.hold <> ''held'' AND NEW.hold <> OLD.hold))
                        EXECUTE FUNCTION refuse_to_reopen()', label);
        EXECUTE format('CREATE TABLE smsc_ids_%s PARTITION OF smsc_ids FOR VALUES FROM (%s) TO (%s)', label, first, past);
    END IF;
END $$;
