-- What customers are told over HTTP: events of their messages, deliveries of these to their URLs, and what each try found.

-- An account that reads its events (GET /v1/delivery-reports, /v1/inbound) has them kept, with or without an endpoint.
ALTER TABLE accounts ADD COLUMN keeps_events boolean NOT NULL DEFAULT false;
CREATE TRIGGER keeps_events_changed AFTER UPDATE OF keeps_events ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION tell_nodes_that_facts_changed();

CREATE TABLE webhook_endpoints (
    endpoint_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  integer NOT NULL REFERENCES accounts,
    url         text NOT NULL,
    events      text[] NOT NULL CHECK (cardinality(events) > 0),
    format      text NOT NULL DEFAULT 'native' CHECK (format IN ('native', 'kannel', 'jasmin')),
    method      text NOT NULL DEFAULT 'POST' CHECK (method IN ('GET', 'POST')),
    state       text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled', 'removed')),
    why         text NOT NULL DEFAULT '',      -- why it is disabled
    created_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX webhook_endpoints_by_account ON webhook_endpoints (account_id);
CREATE TRIGGER facts_changed AFTER INSERT OR UPDATE OR DELETE ON webhook_endpoints
    FOR EACH STATEMENT EXECUTE FUNCTION tell_nodes_that_facts_changed();

-- Each form an endpoint had, from when on.
CREATE TABLE webhook_endpoint_history (
    endpoint_id integer NOT NULL,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    url         text NOT NULL,
    events      text[] NOT NULL,
    state       text NOT NULL,
    why         text NOT NULL
);
CREATE INDEX webhook_endpoint_history_by_endpoint ON webhook_endpoint_history (endpoint_id, changed_at);
CREATE FUNCTION remember_webhook_endpoint() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO webhook_endpoint_history (endpoint_id, url, events, state, why)
    VALUES (NEW.endpoint_id, NEW.url, NEW.events, NEW.state, NEW.why);
    RETURN NULL;
END $$;
CREATE TRIGGER remembered AFTER INSERT OR UPDATE ON webhook_endpoints
    FOR EACH ROW EXECUTE FUNCTION remember_webhook_endpoint();

-- What deliveries are signed with; while one replaces another, both sign.
CREATE TABLE webhook_secrets (
    endpoint_id   integer NOT NULL REFERENCES webhook_endpoints,
    secret        text NOT NULL CHECK (secret LIKE 'whsec\_%'),
    created_at_ms bigint NOT NULL,
    expires_at_ms bigint,                      -- NULL: the one in force
    PRIMARY KEY (endpoint_id, secret)
);

-- The events of an account, in an order that never changes: by transaction, then by number. A reader takes what lies below
-- the oldest open transaction, and so misses nothing whatever the order of commits.
CREATE TABLE account_events (
    account_id integer NOT NULL,
    changed_xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    event_id   bigint GENERATED ALWAYS AS IDENTITY,
    message_id bigint NOT NULL,
    event      text NOT NULL,
    at_ms      bigint NOT NULL,
    PRIMARY KEY (account_id, changed_xact, event_id)
);
CREATE INDEX account_events_by_age ON account_events USING brin (at_ms);

-- What is to be sent to a URL. lane: what shares a receiver, for fairness and for the pause after its failures.
CREATE TABLE webhook_deliveries (
    delivery_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id    integer NOT NULL,
    endpoint_id   integer,                     -- NULL: the message named its own URL
    lane          text NOT NULL,
    message_id    bigint NOT NULL,             -- 0: a test
    event         text NOT NULL,
    at_ms         bigint NOT NULL,             -- when it happened
    url           text NOT NULL DEFAULT '',    -- with its format and method, where endpoint_id is NULL
    format        text NOT NULL DEFAULT '',
    method        text NOT NULL DEFAULT '',
    state         text NOT NULL CHECK (state IN ('due', 'done', 'dead')),
    tries         smallint NOT NULL DEFAULT 0,
    due_at_ms     bigint NOT NULL,             -- while one courier has it: until when
    give_up_at_ms bigint NOT NULL,
    claim         bigint NOT NULL DEFAULT 0,   -- how often it was claimed: a later claim makes an earlier one's outcome void
    ended_at_ms   bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 80);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (lane, due_at_ms) WHERE state = 'due';
CREATE INDEX webhook_deliveries_by_endpoint ON webhook_deliveries (endpoint_id, delivery_id);
CREATE INDEX webhook_deliveries_by_account ON webhook_deliveries (account_id, delivery_id);

CREATE TABLE webhook_tries (
    delivery_id bigint NOT NULL,
    at_ms       bigint NOT NULL,
    took_ms     integer NOT NULL,
    status      smallint,                      -- of HTTP; NULL: no answer
    fault       text NOT NULL,                 -- '': it was taken
    answer      text NOT NULL                  -- how the body began
);
CREATE INDEX webhook_tries_by_delivery ON webhook_tries (delivery_id);

CREATE FUNCTION tell_couriers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('passerelle_webhooks', '');
    RETURN NULL;
END $$;
CREATE TRIGGER deliveries_owed AFTER INSERT ON webhook_deliveries FOR EACH STATEMENT EXECUTE FUNCTION tell_couriers();

-- A number that handsets write to may belong to an account that has no SMPP login: its messages go to its URLs and its inbox.
ALTER TABLE inbound_numbers ALTER esme_id DROP NOT NULL;
ALTER TABLE inbound_routes ALTER esme_id DROP NOT NULL;
