-- What operators' consoles are told as it happens: how nodes, connectors and queues stand, and alarms.

-- The last state told of each; a change of it is an event.
CREATE TABLE console_state (
    kind    text NOT NULL,                      -- node, connector, queue; of later rooms: modem
    subject text NOT NULL,
    told    jsonb NOT NULL,
    PRIMARY KEY (kind, subject)
) WITH (fillfactor = 50);

-- In the order of account_events: by transaction, then by number. Kept for a day.
CREATE TABLE console_events (
    changed_xact xid8 NOT NULL DEFAULT pg_current_xact_id(),
    event_id     bigint GENERATED ALWAYS AS IDENTITY,
    event        text NOT NULL,
    at_ms        bigint NOT NULL,
    data         jsonb NOT NULL,
    PRIMARY KEY (changed_xact, event_id)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON console_state TO passerelle_api;
GRANT SELECT, INSERT (event, at_ms, data), DELETE ON console_events TO passerelle_api;
GRANT SELECT ON console_state, console_events TO passerelle_operators;
