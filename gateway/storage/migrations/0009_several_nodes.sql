-- Several nodes over one database. Every message has one holder at any time: the node that alone may change its row.
-- A span says who holds the messages of a node's ids; it grows as long as that node lives. When a node dies, another takes
-- its spans over as they are then; when it comes back it begins a new one above them.
CREATE TABLE held_spans (
    span_id     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    of_node     smallint NOT NULL REFERENCES nodes,   -- the node in the ids
    from_id     bigint NOT NULL,
    until_id    bigint NOT NULL,                      -- one past the last; the largest bigint while it grows
    holder_node smallint NOT NULL REFERENCES nodes,
    UNIQUE (of_node, from_id)
);
INSERT INTO held_spans (of_node, from_id, until_id, holder_node)
SELECT node_id, 0, 9223372036854775807, node_id FROM nodes;

-- A message that was handed to another node belongs to that node's span from then on; 0: to the span of its id.
ALTER TABLE messages ADD COLUMN handed_to integer NOT NULL DEFAULT 0;
ALTER TABLE delayed ADD COLUMN handed_to integer NOT NULL DEFAULT 0;

-- Claims name the node too from here on (epoch * 64 + node): what was claimed before is nobody's.
UPDATE delayed SET claimed_epoch = 0 WHERE claimed_epoch <> 0;
