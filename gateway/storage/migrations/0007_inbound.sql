-- What handsets send: whose it is, parts that wait for the others, who wants to hear no more.

ALTER TABLE inbound_messages
    ADD COLUMN part_count    smallint NOT NULL DEFAULT 1,  -- parts it was sent in
    ADD COLUMN parts_missing smallint NOT NULL DEFAULT 0,  -- of them those that never came
    ADD COLUMN why           text NOT NULL DEFAULT '';     -- why it went where it went, or nowhere
CREATE INDEX inbound_unrouted ON inbound_messages (message_id) WHERE state = 'unrouted';

ALTER TABLE accounts ADD COLUMN language text NOT NULL DEFAULT 'fr' CHECK (language IN ('fr', 'en'));  -- of answers to its subscribers
CREATE TRIGGER language_changed AFTER UPDATE OF language ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION tell_nodes_that_facts_changed();
ALTER TABLE esmes ADD COLUMN long_inbound text NOT NULL DEFAULT 'joined' CHECK (long_inbound IN ('joined', 'parts'));

-- Whose a message from a handset is: by the number it was sent to (or its prefix) and its first word.
CREATE TABLE inbound_routes (
    route_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "order"    integer NOT NULL DEFAULT 100,
    address    text NOT NULL,                 -- '' with is_prefix: every number
    is_prefix  boolean NOT NULL,
    keyword    text CHECK (keyword <> ''),    -- without case and accents; NULL: whatever the first word is
    account_id integer NOT NULL REFERENCES accounts,
    esme_id    integer NOT NULL REFERENCES esmes,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT one_owner_a_place UNIQUE NULLS NOT DISTINCT (address, is_prefix, keyword, "order"),
    CONSTRAINT a_number_or_a_prefix CHECK (is_prefix OR address <> '')
);
CREATE TRIGGER facts_changed AFTER INSERT OR UPDATE OR DELETE ON inbound_routes
    FOR EACH STATEMENT EXECUTE FUNCTION tell_nodes_that_facts_changed();

-- Parts of long messages, as they come and until their deadline: joined ones too, so that a second copy is known again.
CREATE TABLE inbound_parts (
    part_id          bigint PRIMARY KEY,      -- as message ids are made
    connector_id     smallint NOT NULL,
    source_addr      text NOT NULL,
    destination_addr text NOT NULL,
    kind             text NOT NULL CHECK (kind IN ('udh8', 'udh16', 'sar')),
    reference        integer NOT NULL,
    total            smallint NOT NULL,
    number           smallint NOT NULL,
    data_coding      smallint NOT NULL,
    user_data        bytea NOT NULL,
    envelope         bytea NOT NULL,
    digest           bytea NOT NULL,          -- of the user data: a copy is not a new message that uses the reference again
    received_at_ms   bigint NOT NULL,
    message_id       bigint NOT NULL DEFAULT 0, -- what it was delivered in; 0: it waits
    CONSTRAINT one_copy UNIQUE (connector_id, source_addr, destination_addr, kind, reference, total, number, digest)
);
CREATE INDEX inbound_parts_waiting ON inbound_parts (connector_id, source_addr) WHERE message_id = 0;
CREATE INDEX inbound_parts_by_age ON inbound_parts (received_at_ms);

-- Who wrote last to a handset from a number that several accounts share: a reply is for that account.
CREATE TABLE conversations (
    number     text NOT NULL,
    handset    text NOT NULL,
    account_id integer NOT NULL,
    at_ms      bigint NOT NULL,
    PRIMARY KEY (number, handset)
) WITH (fillfactor = 80);
CREATE INDEX conversations_by_age ON conversations (at_ms);

-- Who wants nothing more from an account, by his own word. Read whole at start, then only what changed: a change is
-- found by its transaction, so that none is missed whatever the order of commits.
CREATE TABLE opt_outs (
    account_id   integer NOT NULL REFERENCES accounts,
    number       text NOT NULL CHECK (number ~ '^[0-9]{1,15}$'),
    opted_out    boolean NOT NULL,            -- false: he came back
    word         text NOT NULL,
    at_ms        bigint NOT NULL,
    changed_xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (account_id, number)
);
CREATE INDEX opt_outs_by_change ON opt_outs (changed_xact);
CREATE FUNCTION tell_nodes_that_opt_outs_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('passerelle_opt_outs', '');
    RETURN NULL;
END $$;
CREATE TRIGGER opt_outs_changed AFTER INSERT OR UPDATE OR DELETE ON opt_outs
    FOR EACH STATEMENT EXECUTE FUNCTION tell_nodes_that_opt_outs_changed();

-- When a person's STOP, START or HELP was answered last: once a day each.
CREATE TABLE opt_out_answers (
    account_id     integer NOT NULL,
    number         text NOT NULL,
    meaning        text NOT NULL CHECK (meaning IN ('stop', 'start', 'help')),
    answered_at_ms bigint NOT NULL,
    PRIMARY KEY (account_id, number, meaning)
);
