-- What nodes tell each other of their ways out: of each connector that a node configures, how many binds take messages there.
CREATE TABLE connector_reach (
    node_id      smallint NOT NULL REFERENCES nodes,
    connector_id smallint NOT NULL REFERENCES connectors,
    epoch        integer NOT NULL,              -- of the life that told it
    bound        smallint NOT NULL,
    PRIMARY KEY (node_id, connector_id)
);
CREATE FUNCTION tell_nodes_of_reach() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('passerelle_reach', '');
    RETURN NULL;
END $$;
CREATE TRIGGER reach_changed AFTER INSERT OR UPDATE OR DELETE ON connector_reach FOR EACH STATEMENT EXECUTE FUNCTION tell_nodes_of_reach();

-- Which queues a node handed messages to: written in the batch that hands them over, read and deleted by whoever holds the
-- span, whose marks are then below these messages. One row a batch, queue and account; one notification a batch and span.
CREATE TABLE handed_over (
    hand_over_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    span_id      integer NOT NULL,
    connector_id smallint NOT NULL,
    lane         smallint NOT NULL,
    account_id   integer NOT NULL,
    from_id      bigint NOT NULL
);
CREATE FUNCTION tell_nodes_of_handed_over() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('passerelle_handed_over', NEW.span_id::text); -- the same twice in a transaction is told once
    RETURN NULL;
END $$;
CREATE TRIGGER messages_handed_over AFTER INSERT ON handed_over FOR EACH ROW EXECUTE FUNCTION tell_nodes_of_handed_over();
