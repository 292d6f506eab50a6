-- Each bind to a carrier has one owner: the node that may open it. A bind without a row is nobody's; one whose epoch is not its
-- node's any more was left by a life that ended, and may be taken.
CREATE TABLE bind_owners (
    connector_id smallint NOT NULL REFERENCES connectors,
    bind_no      smallint NOT NULL,             -- from 0, as the binds of a connector are counted
    node_id      smallint NOT NULL REFERENCES nodes,
    epoch        integer NOT NULL,
    PRIMARY KEY (connector_id, bind_no)
);
CREATE TRIGGER owners_changed AFTER INSERT OR UPDATE OR DELETE ON bind_owners FOR EACH STATEMENT EXECUTE FUNCTION tell_nodes_of_reach();

-- How many binds a node configures: nodes share them fairly.
ALTER TABLE connector_reach ADD COLUMN binds smallint NOT NULL DEFAULT 0;
