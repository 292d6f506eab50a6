-- Receipts in full: what is learnt of carriers' ids, how a login wants its receipts, commands to living nodes, rows set aside.

-- Which transformation leads from the id of submit_sm_resp to the id in the receipt, and the pair that taught it.
CREATE TABLE receipt_dresses (
    connector_id smallint PRIMARY KEY REFERENCES connectors,
    dress        text NOT NULL,
    answered     text NOT NULL,
    receipted    text NOT NULL,
    learnt_at_ms bigint NOT NULL
);
CREATE INDEX parked_receipts_by_connector ON parked_receipts (connector_id, parked_id);

-- How a login wants what it is owed: which first after an absence, and whether parts that we made are told one by one.
ALTER TABLE esmes ADD COLUMN receipts_first text NOT NULL DEFAULT 'oldest' CHECK (receipts_first IN ('oldest', 'newest'));
ALTER TABLE esmes ADD COLUMN receipt_for_each_part boolean NOT NULL DEFAULT false;

-- replayed: told again on request, whatever the message says about having been told. parts_told: of one receipt a part.
ALTER TABLE waiting_notifications ADD COLUMN replayed boolean NOT NULL DEFAULT false;
ALTER TABLE waiting_notifications ADD COLUMN parts_told smallint NOT NULL DEFAULT 0;

-- What people ask of living nodes: who, when, what, and what came of it. Nodes take a row by LISTEN passerelle_commands, with
-- a poll behind it. node_id NULL: any node may take it. progress: how far a long command came, so that it goes on there.
CREATE TABLE node_commands (
    command_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    node_id     smallint REFERENCES nodes,
    command     text NOT NULL CHECK (command <> ''),
    arguments   jsonb NOT NULL DEFAULT '{}',
    asked_by    text NOT NULL CHECK (asked_by <> ''),
    asked_at    timestamptz NOT NULL DEFAULT now(),
    state       text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'taken', 'done', 'refused')),
    taken_by    smallint REFERENCES nodes,
    taken_epoch bigint NOT NULL DEFAULT 0,
    taken_at    timestamptz,
    progress    bigint NOT NULL DEFAULT 0,
    ended_at    timestamptz,
    result      jsonb NOT NULL DEFAULT '{}'
);
CREATE INDEX node_commands_open ON node_commands (command_id) WHERE state IN ('asked', 'taken');
CREATE FUNCTION tell_nodes_of_commands() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('passerelle_commands', '');
    RETURN NULL;
END $$;
CREATE TRIGGER commands_asked AFTER INSERT ON node_commands FOR EACH STATEMENT EXECUTE FUNCTION tell_nodes_of_commands();

-- Rows that PostgreSQL refused for what they say: kept here so that their neighbours could be stored. A person looks at them.
CREATE TABLE set_aside (
    set_aside_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at           timestamptz NOT NULL DEFAULT now(),
    node_id      smallint NOT NULL REFERENCES nodes,
    statement    text NOT NULL,
    message_id   bigint,
    sqlstate     text NOT NULL,
    why          text NOT NULL,
    row_text     text NOT NULL
);
