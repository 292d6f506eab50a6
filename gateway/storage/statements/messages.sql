-- The statements of a message's life. Each is one round trip and one transaction; the first two carry all of the load.

-- name: accept
-- Stores a batch: of each account's share the affordable prefix, in order of arrival, passes; the rest is returned as refused.
WITH stream AS (
    UPDATE node_streams SET batch = $1, committed = $1, last_id = greatest(last_id, $24)
    WHERE node_id = $2 AND stream = 'accept' AND epoch = $3 AND batch = $1 - 1 RETURNING 1
), asked AS (
    SELECT * FROM unnest($5::integer[], $6::bigint[], $7::integer[], $8::smallint[], $9::integer[], $10::text[], $11::smallint[],
                         $12::smallint[], $13::bigint[], $14::bigint[], $15::bigint[], $16::text[], $17::text[], $18::text[],
                         $19::bytea[], $20::bytea[], $21::text[], $22::boolean[],
                         $25::integer[]) WITH ORDINALITY -- empty where no message is handed over
        AS t (account_id, message_id, esme_id, connector_id, route_id, traffic_class, part_count,
              data_coding, price_micros, expires_at_ms, not_before_ms, source_addr, destination_addr, route_why,
              user_data, envelope, notify, opened, handed_to, place)
), funds AS (
    SELECT account_id, balance_micros + credit_limit_micros AS available, coalesce(streamed_until > now(), false) AS streamed
    FROM accounts WHERE account_id = ANY ($23::integer[]) AND state = 'active' ORDER BY account_id FOR NO KEY UPDATE -- postings need not wait
), passed AS (
    SELECT a.*, funds.streamed FROM (SELECT *, sum(price_micros) OVER (PARTITION BY account_id ORDER BY place) AS running FROM asked) a
    JOIN funds USING (account_id) WHERE a.running <= funds.available
), stored AS (
    INSERT INTO messages (account_id, message_id, esme_id, connector_id, route_id, traffic_class, part_count, data_coding, price_micros,
                          expires_at_ms, not_before_ms, source_addr, destination_addr, route_why, user_data, envelope, state, hold, notify, part_states, handed_to)
    SELECT account_id, message_id, esme_id, connector_id, route_id, traffic_class, part_count, data_coding, price_micros,
           expires_at_ms, not_before_ms, source_addr, destination_addr, route_why, user_data, envelope, 'queued', 'held', notify,
           repeat('Q', part_count), coalesce(handed_to, 0)
    FROM passed
), held AS (
    SELECT account_id, sum(price_micros)::bigint AS amount, count(*)::integer AS messages FROM passed
    GROUP BY account_id HAVING sum(price_micros) > 0
), debited AS (
    UPDATE accounts a SET balance_micros = a.balance_micros - held.amount FROM held WHERE a.account_id = held.account_id
), posted AS (
    INSERT INTO ledger (account_id, kind, from_purse, to_purse, amount_micros, message_count)
    SELECT account_id, 'hold', 'available', 'held', amount, messages FROM held
), told AS (
    INSERT INTO account_events (account_id, message_id, event, at_ms)
    SELECT account_id, message_id, 'message.accepted', message_id >> 20 FROM passed WHERE streamed ORDER BY place
), opened AS (
    INSERT INTO open_attempts (node_id, batch_id, opened_at_ms, account_ids, message_ids, sends)
    SELECT $2, $4, $24::bigint >> 20, array_agg(account_id), array_agg(message_id), array_agg(1::smallint) FROM passed WHERE opened HAVING count(*) > 0
), postponed AS (
    INSERT INTO delayed (due_at_ms, account_id, message_id, why, handed_to)
    SELECT not_before_ms, account_id, message_id, 'schedule', coalesce(handed_to, 0) FROM passed WHERE not_before_ms > 0
), handed AS (
    INSERT INTO handed_over (span_id, connector_id, lane, account_id, from_id)
    SELECT handed_to, connector_id, lane_of(traffic_class), account_id, min(message_id) FROM passed
    WHERE cardinality($25::integer[]) > 0 AND handed_to > 0 AND not_before_ms = 0 GROUP BY 1, 2, 3, 4
)
SELECT require((SELECT count(*) FROM stream) = 1, 'this node lost its place') AS fenced,
       ARRAY(SELECT message_id FROM asked WHERE place NOT IN (SELECT place FROM passed)) AS refused;

-- name: settle
-- Writes what became of messages, once each, with the money moves, id lookups and closed journals that belong to it.
WITH stream AS (
    UPDATE node_streams SET batch = $1, committed = $1, last_id = greatest(last_id, $35)
    WHERE node_id = $2 AND stream = 'settle' AND epoch = $3 AND batch = $1 - 1 RETURNING 1
), changed AS (
    UPDATE messages m SET
        connector_id = n.connector_id, route_id = n.route_id, route_why = n.route_why, state = n.state, hold = n.hold,
        notify = CASE WHEN m.notify IN ('done', 'dead') THEN m.notify ELSE n.notify END, -- told by another object of it
        part_states = n.part_states, smsc_message_ids = n.smsc_message_ids, attempt_count = n.attempt_count,
        in_doubt_count = n.in_doubt_count, error = n.error, submitted_at_ms = n.submitted_at_ms, final_at_ms = n.final_at_ms,
        notified_at_ms = greatest(m.notified_at_ms, n.notified_at_ms), revision = n.revision + 1, sends = n.sends
    FROM unnest($4::integer[], $5::bigint[], $6::smallint[], $7::integer[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[],
                $13::text[], $14::smallint[], $15::smallint[], $16::text[], $17::bigint[], $18::bigint[], $19::bigint[], $20::integer[], $34::smallint[])
        AS n (account_id, message_id, connector_id, route_id, route_why, state, hold, notify, part_states,
              smsc_message_ids, attempt_count, in_doubt_count, error, submitted_at_ms, final_at_ms, notified_at_ms, revision, sends)
    WHERE m.account_id = n.account_id AND m.message_id = n.message_id AND m.revision = n.revision
      AND m.message_id BETWEEN $21 AND $22
    RETURNING 1
), posted AS (
    INSERT INTO ledger (account_id, kind, from_purse, to_purse, amount_micros, message_count)
    SELECT account_id, kind, 'held', CASE kind WHEN 'capture' THEN 'spent' ELSE 'available' END, amount, messages
    FROM unnest($23::integer[], $24::text[], $25::bigint[], $26::integer[]) AS p (account_id, kind, amount, messages)
    RETURNING account_id, kind, amount_micros
), locked AS ( -- in the order in which accept takes them
    SELECT account_id FROM accounts
    WHERE account_id IN (SELECT account_id FROM unnest($23::integer[], $24::text[]) AS p (account_id, kind) WHERE kind = 'release')
    ORDER BY account_id FOR NO KEY UPDATE
), credited AS (
    UPDATE accounts a SET balance_micros = a.balance_micros + p.amount_micros
    FROM posted p JOIN locked USING (account_id) WHERE p.kind = 'release' AND a.account_id = p.account_id
), known AS (
    INSERT INTO smsc_ids (connector_id, id_key, smsc_message_id, account_id, message_id, part_no)
    SELECT * FROM unnest($27::smallint[], $28::text[], $29::text[], $30::integer[], $31::bigint[], $32::smallint[])
), closed AS (
    DELETE FROM open_attempts WHERE node_id = $2 AND batch_id = ANY ($33::bigint[])
)
SELECT require((SELECT count(*) FROM stream) = 1, 'this node lost its place'),
       require((SELECT count(*) FROM changed) = cardinality($5), 'a message was changed by somebody else');

-- name: held_ids
-- Which of these messages still have their hold open: their postings are due with the change that closes it.
SELECT message_id FROM messages WHERE account_id = ANY ($1::integer[]) AND message_id = ANY ($2::bigint[]) AND hold = 'held';

-- name: set_aside
-- Keeps rows that PostgreSQL refused for what they say, for a person to look at.
INSERT INTO set_aside (node_id, statement, message_id, sqlstate, why, row_text)
SELECT * FROM unnest($1::smallint[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::text[]);

-- name: open_attempts
-- Journals which messages are about to be written to a carrier, before their first octet leaves.
INSERT INTO open_attempts (node_id, batch_id, opened_at_ms, account_ids, message_ids, sends)
SELECT $1, $2, (extract(epoch FROM clock_timestamp()) * 1000)::bigint, $3, $4, $6 FROM node_streams
WHERE node_id = $1 AND stream = 'accept' AND epoch = $5 RETURNING 1;

-- name: stored_ids
-- Which of these messages were stored: the truth after a COMMIT whose answer was lost.
SELECT message_id FROM messages WHERE account_id = ANY ($1::integer[]) AND message_id = ANY ($2::bigint[]);

-- name: claim_position
-- The last batch a stream committed. Counts one up, so that a statement of ours that is still under way, or still unread
-- in a lost connection, commits nothing any more; waits for one that has begun to write. Its own answer may be lost too:
-- so a claim never looks like a commit.
UPDATE node_streams SET batch = batch + 1 WHERE node_id = $1 AND stream = $2 AND epoch = $3 RETURNING batch, committed;

-- name: load_messages
-- Whole rows by key, for receipts, recovery and notifications that find no message in memory.
SELECT * FROM messages WHERE account_id = ANY ($1::integer[]) AND message_id = ANY ($2::bigint[]);

-- name: queued_accounts
-- Which accounts have messages of this node, a connector and lane that wait to be sent, and the first of each, from an id on.
SELECT a.account_id, first.message_id FROM accounts a CROSS JOIN LATERAL (
    SELECT m.message_id FROM messages m
    WHERE m.connector_id = $1 AND lane_of(m.traffic_class) = $2 AND m.account_id = a.account_id AND m.message_id >= $3
      AND m.state = 'queued'
      AND NOT EXISTS (SELECT FROM delayed d WHERE d.account_id = m.account_id AND d.message_id = m.message_id)
      AND (SELECT s.holder_node FROM held_spans s WHERE CASE m.handed_to
        WHEN 0 THEN s.of_node = (m.message_id >> 14) & 63 AND m.message_id >= s.from_id AND m.message_id < s.until_id
        ELSE s.span_id = m.handed_to END) = $4
    ORDER BY m.message_id LIMIT 1) first;

-- name: queued_rows
-- The next messages of this node, a connector and lane that wait to be sent and are not postponed: of each account so many, in
-- order of acceptance. $3 accounts, $4 from which id on, $5 how many.
SELECT waiting.* FROM unnest($3::integer[], $4::bigint[], $5::integer[]) AS a (account_id, from_id, most)
CROSS JOIN LATERAL (
    SELECT m.* FROM messages m
    WHERE m.connector_id = $1 AND lane_of(m.traffic_class) = $2 AND m.account_id = a.account_id AND m.message_id >= a.from_id
      AND m.state = 'queued'
      AND NOT EXISTS (SELECT FROM delayed d WHERE d.account_id = m.account_id AND d.message_id = m.message_id)
      AND (SELECT s.holder_node FROM held_spans s WHERE CASE m.handed_to
        WHEN 0 THEN s.of_node = (m.message_id >> 14) & 63 AND m.message_id >= s.from_id AND m.message_id < s.until_id
        ELSE s.span_id = m.handed_to END) = $6
    ORDER BY m.message_id LIMIT a.most) waiting;

-- name: open_journals
-- What a former life of this node may have on a wire.
SELECT batch_id, account_ids, message_ids, sends FROM open_attempts WHERE node_id = $1 AND batch_id < $2 ORDER BY batch_id;

-- name: claim_delayed
-- Takes up postponed messages of this node whose time has come; their rows stay until an outcome is stored.
UPDATE delayed SET claimed_epoch = $2 WHERE (account_id, message_id) IN (
    SELECT d.account_id, d.message_id FROM delayed d WHERE d.due_at_ms <= $1 AND d.claimed_epoch <> $2
      AND (SELECT s.holder_node FROM held_spans s WHERE CASE d.handed_to
        WHEN 0 THEN s.of_node = (d.message_id >> 14) & 63 AND d.message_id >= s.from_id AND d.message_id < s.until_id
        ELSE s.span_id = d.handed_to END) = $4
    ORDER BY d.due_at_ms LIMIT $3)
RETURNING account_id, message_id;

-- name: held_claims
-- What this life of the node has claimed, as far as the database knows.
SELECT account_id, message_id FROM delayed WHERE claimed_epoch = $1;

-- name: release_claims
-- Gives claims back whose answer was lost.
UPDATE delayed SET claimed_epoch = 0 WHERE (account_id, message_id) IN (SELECT * FROM unnest($1::integer[], $2::bigint[]));

-- name: drop_delayed
-- Forgets postponements of messages that went on.
DELETE FROM delayed WHERE (account_id, message_id) IN (SELECT * FROM unnest($1::integer[], $2::bigint[]));

-- name: postpone
-- Puts messages off to their next try.
INSERT INTO delayed (due_at_ms, account_id, message_id, why, handed_to)
SELECT d.*, coalesce((SELECT m.handed_to FROM messages m WHERE m.account_id = d.account_id AND m.message_id = d.message_id), 0)
FROM unnest($1::bigint[], $2::integer[], $3::bigint[], $4::text[]) AS d (due_at_ms, account_id, message_id, why)
ON CONFLICT (account_id, message_id) DO UPDATE
    SET due_at_ms = excluded.due_at_ms, why = excluded.why, handed_to = excluded.handed_to, claimed_epoch = 0;

-- name: overdue
-- Messages that this node holds, whose validity ended in this span and that are not final.
SELECT m.* FROM messages m
WHERE m.expires_at_ms > $1 AND m.expires_at_ms <= $2 AND m.state = ANY ($3::text[])
  AND (SELECT s.holder_node FROM held_spans s WHERE CASE m.handed_to
        WHEN 0 THEN s.of_node = (m.message_id >> 14) & 63 AND m.message_id >= s.from_id AND m.message_id < s.until_id
        ELSE s.span_id = m.handed_to END) = $5
ORDER BY m.expires_at_ms LIMIT $4;

-- name: find_smsc_ids
-- The messages that carriers' ids mean, whatever their dress; the newest days only, the newest attempt last.
SELECT connector_id, id_key, smsc_message_id, account_id, message_id, part_no FROM smsc_ids
WHERE connector_id = $1 AND id_key = ANY ($2::text[]) AND message_id >= $3 ORDER BY message_id, part_no;

-- name: park_receipts
-- Keeps receipts that nobody waits for yet.
INSERT INTO parked_receipts (parked_id, connector_id, smsc_message_id, source_addr, destination_addr, message_state, error, done_at_ms, received_at_ms, raw)
SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::smallint[], $7::text[], $8::bigint[], $9::bigint[], $10::bytea[]);

-- name: load_parked
-- Parked receipts of this node young enough to be joined, oldest first.
SELECT p.* FROM parked_receipts p WHERE p.received_at_ms >= $1
  AND (SELECT s.holder_node FROM held_spans s WHERE s.of_node = (p.parked_id >> 14) & 63
        AND p.parked_id >= s.from_id AND p.parked_id < s.until_id) = $3
ORDER BY p.parked_id LIMIT $2;

-- name: parked_after
-- The next parked receipts of this node and a connector, for the walk over those that memory has no room for.
SELECT p.* FROM parked_receipts p WHERE p.connector_id = $1 AND p.parked_id > $2
  AND (SELECT s.holder_node FROM held_spans s WHERE s.of_node = (p.parked_id >> 14) & 63
        AND p.parked_id >= s.from_id AND p.parked_id < s.until_id) = $4
ORDER BY p.parked_id LIMIT $3;

-- name: remember_dresses
-- Keeps what matches taught about the dress of a connector's ids, with the pair that taught it last.
INSERT INTO receipt_dresses (connector_id, dress, answered, receipted, learnt_at_ms)
SELECT * FROM unnest($1::smallint[], $2::text[], $3::text[], $4::text[], $5::bigint[])
ON CONFLICT (connector_id) DO UPDATE SET dress = excluded.dress, answered = excluded.answered,
    receipted = excluded.receipted, learnt_at_ms = excluded.learnt_at_ms;

-- name: load_dresses
-- What a former life learnt about the dress of carriers' ids.
SELECT connector_id, dress FROM receipt_dresses;

-- name: bury_parked
-- Gives up receipts that nobody claimed in all the time they are tried for: orphans, kept for a while for people to see.
-- $1: received before then; $2: orphans of before then are forgotten.
WITH gone AS (DELETE FROM parked_receipts WHERE received_at_ms < $1 RETURNING *),
forgotten AS (DELETE FROM orphan_receipts WHERE received_at_ms < $2),
kept AS (
    INSERT INTO orphan_receipts
    SELECT parked_id, connector_id, smsc_message_id, source_addr, destination_addr, message_state, error, received_at_ms, raw
      FROM gone WHERE received_at_ms >= $2 ON CONFLICT DO NOTHING)
SELECT parked_id FROM gone;

-- name: drop_parked
-- Forgets parked receipts that were joined.
DELETE FROM parked_receipts WHERE parked_id = ANY ($1::bigint[]);

-- name: remember_refusals
-- Writes which connectors refused messages, so that the next choice leaves them out. $3: ids with commas between.
UPDATE messages m SET refused_by = string_to_array(n.connector_ids, ',')::smallint[]
FROM unnest($1::integer[], $2::bigint[], $3::text[]) AS n (account_id, message_id, connector_ids)
WHERE m.account_id = n.account_id AND m.message_id = n.message_id;

-- name: note_events
-- Writes uncommon facts into the timelines of messages.
INSERT INTO message_events (account_id, message_id, at_ms, event, detail)
SELECT * FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::text[], $5::text[]);

-- name: wait_notifications
-- Keeps what an ESME has not taken, with the time of the next try.
INSERT INTO waiting_notifications (esme_id, account_id, message_id, kind, tries, due_at_ms, give_up_at_ms, parts_told, handed_to)
SELECT w.*, coalesce((SELECT m.handed_to FROM messages m WHERE m.account_id = w.account_id AND m.message_id = w.message_id), 0)
FROM unnest($1::integer[], $2::integer[], $3::bigint[], $4::text[], $5::smallint[], $6::bigint[], $7::bigint[], $8::smallint[])
    AS w (esme_id, account_id, message_id, kind, tries, due_at_ms, give_up_at_ms, parts_told)
ON CONFLICT (esme_id, message_id) DO UPDATE SET tries = excluded.tries, due_at_ms = excluded.due_at_ms, parts_told = excluded.parts_told;

-- name: close_receipts
-- Receipts that were taken, or given up, of messages that other objects may be settling: the revision is left alone.
UPDATE messages m SET notify = CASE WHEN m.notify = 'done' THEN m.notify ELSE n.notify END, notified_at_ms = n.at_ms
FROM unnest($1::integer[], $2::bigint[], $3::text[], $4::bigint[]) AS n (account_id, message_id, notify, at_ms)
WHERE m.account_id = n.account_id AND m.message_id = n.message_id;

-- name: waiting_of_esme
-- What this node owes an ESME, oldest first, after a given message.
SELECT w.message_id, w.account_id, w.kind, w.tries, w.due_at_ms, w.give_up_at_ms, w.replayed, w.parts_told
FROM waiting_notifications w WHERE w.esme_id = $1 AND w.message_id > $2
  AND (SELECT s.holder_node FROM held_spans s WHERE CASE w.handed_to
        WHEN 0 THEN s.of_node = (w.message_id >> 14) & 63 AND w.message_id >= s.from_id AND w.message_id < s.until_id
        ELSE s.span_id = w.handed_to END) = $4
ORDER BY w.message_id LIMIT $3;

-- name: newest_waiting_of_esme
-- What this node owes an ESME, newest first, before a given message.
SELECT w.message_id, w.account_id, w.kind, w.tries, w.due_at_ms, w.give_up_at_ms, w.replayed, w.parts_told
FROM waiting_notifications w WHERE w.esme_id = $1 AND w.message_id < $2
  AND (SELECT s.holder_node FROM held_spans s WHERE CASE w.handed_to
        WHEN 0 THEN s.of_node = (w.message_id >> 14) & 63 AND w.message_id >= s.from_id AND w.message_id < s.until_id
        ELSE s.span_id = w.handed_to END) = $4
ORDER BY w.message_id DESC LIMIT $3;

-- name: esmes_with_rows
-- Which of these ESMEs this node owes something.
SELECT e.esme_id FROM unnest($1::integer[]) AS e (esme_id) WHERE EXISTS (
    SELECT FROM waiting_notifications w WHERE w.esme_id = e.esme_id
      AND (SELECT s.holder_node FROM held_spans s WHERE CASE w.handed_to
        WHEN 0 THEN s.of_node = (w.message_id >> 14) & 63 AND w.message_id >= s.from_id AND w.message_id < s.until_id
        ELSE s.span_id = w.handed_to END) = $2);

-- name: drop_waiting
-- Forgets what was taken or given up.
DELETE FROM waiting_notifications WHERE (esme_id, message_id) IN (SELECT * FROM unnest($1::integer[], $2::bigint[]));

-- name: waiting_overdue
-- What this node owed for too long: it becomes a dead letter.
SELECT w.esme_id, w.account_id, w.message_id, w.kind, w.tries FROM waiting_notifications w WHERE w.give_up_at_ms <= $1
  AND (SELECT s.holder_node FROM held_spans s WHERE CASE w.handed_to
        WHEN 0 THEN s.of_node = (w.message_id >> 14) & 63 AND w.message_id >= s.from_id AND w.message_id < s.until_id
        ELSE s.span_id = w.handed_to END) = $3
LIMIT $2;

-- name: owed_receipts
-- After a start or a takeover: final messages of this node whose receipt nobody has taken and no row keeps.
SELECT m.* FROM messages m
WHERE m.account_id = ANY ($1::integer[]) AND m.message_id >= $2 AND m.notify = 'asked'
  AND m.state NOT IN ('queued', 'submitted', 'in_doubt')
  AND NOT EXISTS (SELECT FROM waiting_notifications w WHERE w.esme_id = m.esme_id AND w.message_id = m.message_id)
  AND (SELECT s.holder_node FROM held_spans s WHERE CASE m.handed_to
        WHEN 0 THEN s.of_node = (m.message_id >> 14) & 63 AND m.message_id >= s.from_id AND m.message_id < s.until_id
        ELSE s.span_id = m.handed_to END) = $4
ORDER BY m.message_id LIMIT $3;

-- name: store_inbound
-- Stores what handsets sent, before the carrier is answered.
INSERT INTO inbound_messages (message_id, connector_id, account_id, esme_id, source_addr, destination_addr, data_coding, user_data, envelope, state, received_at_ms, part_count, parts_missing, why)
SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::integer[], $4::integer[], $5::text[], $6::text[], $7::smallint[], $8::bytea[], $9::bytea[], $10::text[], $11::bigint[], $12::smallint[], $13::smallint[], $14::text[]);

-- name: load_inbound
-- Inbound messages by id.
SELECT * FROM inbound_messages WHERE message_id = ANY ($1::bigint[]);

-- name: due_inbound
-- After a start or a takeover: inbound messages of this node that an ESME has not taken.
SELECT i.* FROM inbound_messages i WHERE i.state = 'due' AND i.message_id > $1
  AND NOT EXISTS (SELECT FROM waiting_notifications w WHERE w.esme_id = i.esme_id AND w.message_id = i.message_id)
  AND (SELECT s.holder_node FROM held_spans s WHERE s.of_node = (i.message_id >> 14) & 63
        AND i.message_id >= s.from_id AND i.message_id < s.until_id) = $3
ORDER BY i.message_id LIMIT $2;

-- name: close_inbound
-- Inbound messages that were taken, or given up.
UPDATE inbound_messages i SET state = CASE WHEN i.state = 'done' THEN i.state ELSE n.state END, notified_at_ms = n.at_ms
FROM unnest($1::bigint[], $2::text[], $3::bigint[]) AS n (message_id, state, at_ms) WHERE i.message_id = n.message_id;

-- name: move_marks
-- Remembers below which id no message of a connector and lane waits in this node.
INSERT INTO connector_marks (node_id, connector_id, lane, queued_from_id)
SELECT $1, * FROM unnest($2::smallint[], $3::smallint[], $4::bigint[])
ON CONFLICT (node_id, connector_id, lane) DO UPDATE SET queued_from_id = excluded.queued_from_id;

-- name: load_marks
-- Where the queues of this node begin.
SELECT connector_id, lane, queued_from_id FROM connector_marks WHERE node_id = $1;

-- name: attempts_elsewhere
-- What other nodes may have on a connector's wire to these handsets without knowing its id: open, or in doubt. $1: this node.
SELECT m.* FROM open_attempts o
CROSS JOIN LATERAL unnest(o.account_ids, o.message_ids) AS a (account_id, message_id)
JOIN messages m ON m.account_id = a.account_id AND m.message_id = a.message_id
WHERE o.node_id <> $1 AND m.connector_id = $2 AND m.destination_addr = ANY ($3::text[]) AND m.final_at_ms = 0
  AND m.part_states ~ '[QI]'
  AND NOT EXISTS (SELECT FROM delayed d WHERE d.account_id = m.account_id AND d.message_id = m.message_id);

-- name: hand_over
-- Hands messages that wait to the holders of spans, and tells these which queues got some (trigger messages_handed_over).
WITH handed AS (
    UPDATE messages m SET handed_to = n.span_id
    FROM unnest($1::integer[], $2::bigint[], $3::integer[]) AS n (account_id, message_id, span_id)
    WHERE m.account_id = n.account_id AND m.message_id = n.message_id AND m.state = 'queued'
    RETURNING m.handed_to, m.connector_id, lane_of(m.traffic_class) AS lane, m.account_id, m.message_id
)
INSERT INTO handed_over (span_id, connector_id, lane, account_id, from_id)
SELECT handed_to, connector_id, lane, account_id, min(message_id) FROM handed GROUP BY 1, 2, 3, 4;

-- name: forward_receipts
-- Keeps receipts for the nodes that hold their messages, and wakes these (trigger receipts_forwarded).
INSERT INTO forwarded_receipts (account_id, message_id, handed_to, part_no, connector_id, smsc_message_id, source_addr, destination_addr, message_state, error)
SELECT * FROM unnest($1::integer[], $2::bigint[], $3::integer[], $4::smallint[], $5::smallint[], $6::text[], $7::text[], $8::text[], $9::smallint[], $10::text[]);

-- name: forwarded_to
-- Receipts for messages that this node holds now, to whomever they were forwarded.
SELECT f.* FROM forwarded_receipts f LEFT JOIN messages m USING (account_id, message_id)
WHERE (SELECT s.holder_node FROM held_spans s WHERE CASE coalesce(m.handed_to, f.handed_to)
        WHEN 0 THEN s.of_node = (f.message_id >> 14) & 63 AND f.message_id >= s.from_id AND f.message_id < s.until_id
        ELSE s.span_id = coalesce(m.handed_to, f.handed_to) END) = $1
ORDER BY f.forward_id LIMIT $2;

-- name: drop_forwarded
-- Forgets forwarded receipts that were folded.
DELETE FROM forwarded_receipts WHERE forward_id = ANY ($1::bigint[]);
