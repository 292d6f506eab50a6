-- What operators look at: messages and their timelines, queues, nodes. Nothing here changes a row.

-- name: list_messages
-- The newest messages of each account, merged: $1 account, $2 state, $3 first id, $4 past the last id, $5 limit.
SELECT m.message_id, a.name AS account, m.state, m.hold, m.source_addr, m.destination_addr, m.part_count, m.price_micros,
       m.error, m.submitted_at_ms, m.final_at_ms, m.notify, c.name AS connector
  FROM accounts a
 CROSS JOIN LATERAL (SELECT * FROM messages m
                      WHERE m.account_id = a.account_id AND m.message_id >= $3::bigint AND m.message_id < $4::bigint
                        AND ($2::text IS NULL OR m.state = $2)
                      ORDER BY m.message_id DESC LIMIT $5::integer) m
  LEFT JOIN connectors c ON c.connector_id = m.connector_id
 WHERE $1::integer IS NULL OR a.account_id = $1
 ORDER BY m.message_id DESC LIMIT $5::integer;

-- name: find_message
-- One message with the names of what its row points to.
SELECT m.*, a.name AS account, e.system_id, c.name AS connector
  FROM accounts a
  JOIN messages m ON m.account_id = a.account_id AND m.message_id = $1
  LEFT JOIN esmes e ON e.esme_id = m.esme_id
  LEFT JOIN connectors c ON c.connector_id = m.connector_id;

-- name: find_inbound_message
-- One message from a handset.
SELECT i.*, a.name AS account, e.system_id, c.name AS connector
  FROM inbound_messages i
  LEFT JOIN accounts a ON a.account_id = i.account_id
  LEFT JOIN esmes e ON e.esme_id = i.esme_id
  LEFT JOIN connectors c ON c.connector_id = i.connector_id
 WHERE i.message_id = $1;

-- name: load_events
-- The uncommon facts of some messages' lives, in order.
SELECT message_id, at_ms, event, detail
  FROM message_events
 WHERE account_id = $1 AND message_id = ANY ($2::bigint[])
 ORDER BY at_ms;

-- name: load_waits
-- What one message still waits for: a time, an outcome, its ESME.
SELECT 'delayed' AS kind, due_at_ms AS at_ms, why AS detail FROM delayed WHERE account_id = $1 AND message_id = $2
UNION ALL
SELECT 'open_attempt', opened_at_ms, format('journal %s of node %s', batch_id, node_id)
  FROM open_attempts WHERE $2 = ANY (message_ids) AND $1 = ANY (account_ids)
UNION ALL
SELECT 'waiting_' || kind, due_at_ms, format('tried %s times', tries)
  FROM waiting_notifications WHERE account_id = $1 AND message_id = $2
 ORDER BY at_ms;

-- name: load_nodes
-- Every node: how long ago it was seen, and what it last told of itself.
SELECT name, node_id, epoch, started_at, extract(epoch FROM now() - seen_at)::float8 AS unseen_s, live::text AS live
  FROM nodes ORDER BY name;

-- name: count_queues
-- How many messages each connector has in each open state, and the oldest of them.
SELECT c.name AS connector, m.state, count(*) AS messages, min(m.message_id) AS oldest_id
  FROM messages m LEFT JOIN connectors c USING (connector_id)
 WHERE m.state IN ('queued', 'submitted', 'in_doubt')
 GROUP BY c.name, m.state ORDER BY c.name, m.state;

-- name: count_waiting
-- What waits for customers: receipts and inbound messages by ESME.
SELECT e.system_id, w.kind, count(*) AS waiting, min(w.message_id) AS oldest_id
  FROM waiting_notifications w LEFT JOIN esmes e USING (esme_id)
 GROUP BY e.system_id, w.kind ORDER BY e.system_id, w.kind;

-- name: tally_progress
-- How far all messages are: accepted, taken or ended, ended, told, delivered. For the live view of a demonstration.
SELECT count(*) AS accepted, count(*) FILTER (WHERE submitted_at_ms > 0) AS submitted,
       count(*) FILTER (WHERE state = 'delivered') AS delivered,
       count(*) FILTER (WHERE final_at_ms > 0 AND state <> 'delivered') AS failed,
       count(*) FILTER (WHERE notify = 'done' AND final_at_ms > 0) AS receipts
  FROM messages WHERE message_id >= $1;

-- name: follow_messages
-- Where messages stand, oldest first, from an id on: for the live view of a demonstration.
SELECT message_id, source_addr, destination_addr, part_count, state, error, submitted_at_ms, final_at_ms, notify
  FROM messages WHERE message_id >= $1 ORDER BY message_id LIMIT $2;

-- name: applied_migrations
-- The names of the migrations this database has seen.
SELECT name FROM schema_migrations ORDER BY name;

-- name: partition_days
-- The days that have a partition of messages, as YYYYMMDD.
SELECT right(inhrelid::regclass::text, 8) AS day FROM pg_inherits WHERE inhparent = 'messages'::regclass ORDER BY 1;

-- name: server_clock
-- The server's wall clock, in Unix seconds.
SELECT extract(epoch FROM clock_timestamp())::float8;

-- name: find_opt_out
-- A person's last word to an account, by the digits of his number.
SELECT opted_out, word, at_ms FROM opt_outs WHERE account_id = $1 AND number = $2;
