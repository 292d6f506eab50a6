-- How many binds of each type a login has on each node, so that its limits hold over all of them. A row speaks for one life of
-- a node (epoch): after a restart or a takeover it counts no longer, as while the node's lease is not renewed.
CREATE TABLE esme_binds (
    esme_id      integer NOT NULL,
    node_id      smallint NOT NULL,
    epoch        bigint NOT NULL,
    transmitters integer NOT NULL,
    receivers    integer NOT NULL,
    transceivers integer NOT NULL,
    PRIMARY KEY (esme_id, node_id)
);
