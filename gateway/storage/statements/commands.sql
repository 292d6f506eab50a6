-- What people ask of living nodes: rows that say who, when, what, and what came of it.

-- name: ask
-- Asks nodes for something; $1 NULL: any node may take it.
INSERT INTO node_commands (node_id, command, arguments, asked_by) VALUES ($1, $2, $3::jsonb, $4) RETURNING command_id;

-- name: find_command
-- One command and what came of it.
SELECT c.command_id, c.command, c.arguments, c.asked_by, c.asked_at, c.state, n.name AS taken_by, c.taken_at, c.ended_at, c.result
  FROM node_commands c LEFT JOIN nodes n ON n.node_id = c.taken_by WHERE c.command_id = $1;

-- name: list_commands
-- The newest commands of these kinds, newest first.
SELECT c.command_id, c.command, c.arguments, c.asked_by, c.asked_at, c.state, n.name AS taken_by, c.taken_at, c.ended_at, c.result
  FROM node_commands c LEFT JOIN nodes n ON n.node_id = c.taken_by WHERE c.command = ANY ($1::text[]) ORDER BY c.command_id DESC LIMIT $2;

-- name: take_command
-- Takes the oldest open command that is this node's to take: asked of it or of any, or left by a life that is over.
-- $3: seconds without a sign of life, after which a node is dead.
UPDATE node_commands SET state = 'taken', taken_by = $1, taken_epoch = $2, taken_at = now() WHERE command_id = (
    SELECT c.command_id FROM node_commands c LEFT JOIN nodes n ON n.node_id = c.taken_by
    WHERE (c.state = 'asked' AND (c.node_id IS NULL OR c.node_id = $1))
       OR (c.state = 'taken' AND c.taken_by = $1 AND c.taken_epoch <> $2)
       OR (c.state = 'taken' AND c.node_id IS NULL AND n.seen_at < now() - make_interval(secs => $3))
    ORDER BY c.command_id LIMIT 1 FOR UPDATE OF c SKIP LOCKED)
RETURNING command_id, command, arguments, asked_by, progress;

-- name: end_command
-- Says what came of a command; what it noted on its way stays.
UPDATE node_commands SET state = $2, result = result || $3::jsonb, ended_at = now() WHERE command_id = $1;

-- name: replay_receipts
-- The next page of receipts that were told, or given up, to be told again; how far the command came goes with it.
-- $1 account, $2 login or NULL, $3 after which id, $4 up to which, $5 how they ended, $6 how many, $7 now, $8 give up at.
WITH page AS (
    SELECT m.esme_id, m.account_id, m.message_id FROM messages m
    WHERE m.account_id = $1 AND ($2::integer IS NULL OR m.esme_id = $2) AND m.message_id > $3 AND m.message_id <= $4
      AND m.notify = ANY ($5::text[]) ORDER BY m.message_id LIMIT $6
), kept AS (
    INSERT INTO waiting_notifications (esme_id, account_id, message_id, kind, due_at_ms, give_up_at_ms, replayed)
    SELECT esme_id, account_id, message_id, 'receipt', $7, $8, true FROM page
    ON CONFLICT (esme_id, message_id) DO NOTHING RETURNING 1
), came AS (
    UPDATE node_commands SET progress = coalesce((SELECT max(message_id) FROM page), progress),
        result = jsonb_build_object('replayed', coalesce((result ->> 'replayed')::bigint, 0) + (SELECT count(*) FROM kept))
    WHERE command_id = $9
)
SELECT coalesce(max(message_id), 0) AS last_id, count(*) AS found, coalesce(array_agg(DISTINCT esme_id), '{}') AS esme_ids FROM page;

-- name: replay_inbound
-- The same for messages from handsets; the arguments as of replay_receipts.
WITH page AS (
    SELECT i.esme_id, i.account_id, i.message_id FROM inbound_messages i
    WHERE i.account_id = $1 AND i.esme_id IS NOT NULL AND ($2::integer IS NULL OR i.esme_id = $2) AND i.message_id > $3
      AND i.message_id <= $4 AND i.state = ANY ($5::text[]) ORDER BY i.message_id LIMIT $6
), kept AS (
    INSERT INTO waiting_notifications (esme_id, account_id, message_id, kind, due_at_ms, give_up_at_ms, replayed)
    SELECT esme_id, account_id, message_id, 'inbound', $7, $8, true FROM page
    ON CONFLICT (esme_id, message_id) DO NOTHING RETURNING 1
), came AS (
    UPDATE node_commands SET progress = coalesce((SELECT max(message_id) FROM page), progress),
        result = jsonb_build_object('replayed', coalesce((result ->> 'replayed')::bigint, 0) + (SELECT count(*) FROM kept))
    WHERE command_id = $9
)
SELECT coalesce(max(message_id), 0) AS last_id, count(*) AS found, coalesce(array_agg(DISTINCT esme_id), '{}') AS esme_ids FROM page;

-- name: tell_of_replays
-- Wakes the nodes on which these logins are bound.
SELECT pg_notify('passerelle_replays', esme_id::text) FROM unnest($1::integer[]) AS esme_id;

-- name: list_dead
-- Receipts and handsets' messages that no customer took, newest first.
SELECT * FROM (
    SELECT m.message_id, 'receipt' AS kind, a.name AS account, e.system_id, m.source_addr, m.destination_addr, m.state, m.notified_at_ms
      FROM messages m JOIN accounts a USING (account_id) LEFT JOIN esmes e ON e.esme_id = m.esme_id
     WHERE m.notify = 'dead' AND ($1::integer IS NULL OR m.account_id = $1) AND m.message_id >= $2 AND m.message_id < $3
    UNION ALL
    SELECT i.message_id, 'inbound', a.name, e.system_id, i.source_addr, i.destination_addr, i.state, i.notified_at_ms
      FROM inbound_messages i LEFT JOIN accounts a USING (account_id) LEFT JOIN esmes e ON e.esme_id = i.esme_id
     WHERE i.state = 'dead' AND ($1::integer IS NULL OR i.account_id = $1) AND i.message_id >= $2 AND i.message_id < $3
) dead ORDER BY message_id DESC LIMIT $4;

-- name: list_orphans
-- Receipts that fit no attempt: those still tried (waiting) and those given up. $1: connector or null; $2: older than this.
SELECT o.*, c.name AS connector FROM (
    SELECT parked_id, connector_id, smsc_message_id, source_addr, destination_addr, message_state, error, received_at_ms,
           true AS waiting FROM parked_receipts
    UNION ALL
    SELECT parked_id, connector_id, smsc_message_id, source_addr, destination_addr, message_state, error, received_at_ms,
           false FROM orphan_receipts
) o JOIN connectors c USING (connector_id)
WHERE ($1::text IS NULL OR c.name = $1) AND o.parked_id < $2 ORDER BY o.parked_id DESC LIMIT $3;

-- name: find_orphan
-- A receipt that was given up, beside the message that it may speak of.
SELECT o.parked_id, c.name AS connector, o.connector_id = m.connector_id AS same_connector, o.smsc_message_id, o.source_addr,
       o.destination_addr, o.message_state, o.error, o.received_at_ms, m.message_id, m.account_id, m.state,
       m.source_addr AS message_source, m.destination_addr AS message_destination, m.part_count, m.smsc_message_ids,
       m.submitted_at_ms
  FROM orphan_receipts o JOIN connectors c USING (connector_id)
  LEFT JOIN (SELECT m.* FROM accounts a JOIN messages m ON m.account_id = a.account_id AND m.message_id = $2) m ON true
 WHERE o.parked_id = $1;

-- name: adopt_orphan
-- Gives a receipt that was given up to a part of a message: whoever holds that folds it as if its id had been known.
WITH gone AS (
    DELETE FROM orphan_receipts WHERE parked_id = $1
    RETURNING connector_id, smsc_message_id, source_addr, destination_addr, message_state, error
)
INSERT INTO forwarded_receipts (account_id, message_id, handed_to, part_no, connector_id, smsc_message_id, source_addr,
                                destination_addr, message_state, error, adopted)
SELECT m.account_id, m.message_id, m.handed_to, $4, gone.connector_id, gone.smsc_message_id, gone.source_addr,
       gone.destination_addr, gone.message_state, gone.error, true
  FROM gone JOIN messages m ON m.account_id = $2 AND m.message_id = $3 RETURNING message_id;

-- name: list_dresses
-- What was learnt of the dress of carriers' ids.
SELECT c.name AS connector, d.dress, d.answered, d.receipted, d.learnt_at_ms
  FROM receipt_dresses d JOIN connectors c USING (connector_id) ORDER BY c.name;
