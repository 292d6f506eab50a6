-- Senders that a carrier refused five times in a row: the pair is disabled until an operator allows it again.
CREATE TABLE refused_senders (
    connector_id smallint NOT NULL REFERENCES connectors,
    sender       text NOT NULL,                -- case-folded, as senders are compared
    status       text NOT NULL,                -- what the carrier answered
    since_ms     bigint NOT NULL,
    PRIMARY KEY (connector_id, sender)
);
CREATE TRIGGER facts_changed AFTER INSERT OR UPDATE OR DELETE ON refused_senders
    FOR EACH STATEMENT EXECUTE FUNCTION tell_nodes_that_facts_changed();
