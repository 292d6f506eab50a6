-- What operators wish of a way out, which outlives every node: run, drain (its receipts still come, nothing new is sent by it),
-- stop (its binds are ended too). And commands that several nodes carry out, each its own row of one command.
ALTER TABLE connectors ADD COLUMN wish text NOT NULL DEFAULT 'run' CHECK (wish IN ('run', 'drain', 'stop'));
ALTER TABLE node_commands ADD COLUMN part_of bigint REFERENCES node_commands;
CREATE INDEX node_commands_parts ON node_commands (part_of) WHERE part_of IS NOT NULL;
