-- Ways out as operators see and steer them: wishes, and which nodes are concerned.

-- name: set_wish
-- Says what operators wish of a connector; no row when it wishes that already, so that no node is told twice.
UPDATE connectors SET wish = $2 WHERE connector_id = $1 AND wish <> $2 RETURNING connector_id;

-- name: load_carriers
-- Every connector that a row ever spoke of, with what is wished of it.
SELECT connector_id, name, kind, wish, alphanumeric_senders FROM connectors ORDER BY name;

-- name: nodes_of_connector
-- The nodes that configure a connector and lived lately. $2: how many seconds ago at most.
SELECT r.node_id FROM connector_reach r JOIN nodes n USING (node_id)
 WHERE r.connector_id = $1 AND r.binds > 0 AND n.kind = 'node' AND n.seen_at > now() - make_interval(secs => $2) ORDER BY 1;

-- name: configured_connectors
-- The connectors that some node configures and told of lately. $1: how many seconds ago at most.
SELECT DISTINCT r.connector_id FROM connector_reach r JOIN nodes n USING (node_id)
 WHERE (r.binds > 0 OR r.bound > 0) AND n.kind = 'node' AND n.seen_at > now() - make_interval(secs => $1);

-- name: living_nodes
-- The nodes that live. $1: within how many seconds they were seen.
SELECT node_id FROM nodes WHERE kind = 'node' AND seen_at > now() - make_interval(secs => $1) ORDER BY 1;

-- name: ask_part
-- Asks one more node for its part of a command.
INSERT INTO node_commands (node_id, command, arguments, asked_by, part_of)
SELECT $2, command, arguments, asked_by, command_id FROM node_commands WHERE command_id = $1;

-- name: command_parts
-- A command and the parts of it that other nodes have, with how long each node was not seen.
SELECT c.command_id, c.command, c.arguments, c.asked_by, c.asked_at, c.state, c.taken_at, c.ended_at, c.result,
       n.name AS node, extract(epoch FROM now() - n.seen_at)::float8 AS unseen_s
  FROM node_commands c LEFT JOIN nodes n ON n.node_id = coalesce(c.taken_by, c.node_id)
 WHERE c.command_id = $1 OR c.part_of = $1 ORDER BY c.command_id;

-- name: recent_commands
-- The newest commands, each once, older than an id.
SELECT command_id FROM node_commands WHERE part_of IS NULL AND command_id < $1 ORDER BY command_id DESC LIMIT $2;
