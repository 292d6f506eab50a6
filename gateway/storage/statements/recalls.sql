-- What customers ask of messages they gave us before: to see, to find, to replace one.

-- name: find_message
-- One message, the node that holds it, and whether it waits in `delayed` claimed by none: only then may it be changed there.
SELECT m.*, d.message_id IS NOT NULL AS postponed, coalesce(d.claimed_epoch, 0) = 0 AS unclaimed,
       (SELECT s.holder_node FROM held_spans s WHERE CASE m.handed_to
        WHEN 0 THEN s.of_node = (m.message_id >> 14) & 63 AND m.message_id >= s.from_id AND m.message_id < s.until_id
        ELSE s.span_id = m.handed_to END) AS holder_node
FROM messages m LEFT JOIN delayed d USING (account_id, message_id) WHERE m.account_id = $1 AND m.message_id = $2;

-- name: find_between
-- The messages of an account between two ids: those of one submit_multi, with strangers among them.
SELECT * FROM messages WHERE account_id = $1 AND message_id BETWEEN $2 AND $3 ORDER BY message_id;

-- name: find_waiting
-- Messages of an account to one number that wait to be sent, after an id. What is postponed may be old; of the rest none
-- waits below the marks of the queues.
SELECT m.* FROM messages m JOIN delayed d USING (account_id, message_id)
WHERE d.account_id = $1 AND m.destination_addr = $2 AND m.state = 'queued' AND m.message_id > $3
UNION
SELECT m.* FROM messages m
WHERE m.account_id = $1 AND m.destination_addr = $2 AND m.state = 'queued' AND m.message_id > $3
  AND m.message_id >= (SELECT coalesce(min(queued_from_id), 0) FROM connector_marks)
ORDER BY message_id LIMIT $4;

-- name: replace_message
-- Puts another content in place of a message's that waits in `delayed` held by no node, where its account can pay what it
-- costs more; the difference is held or released. $12: extra price; $13: due at, 0 for as it was; $14: now; $15: why of a
-- message that was put there for this. Locks rows in the order of a settle batch (message, account, delayed), each by
-- reading the one before: so neither waits for the other in a ring.
WITH standing AS (
    SELECT account_id, message_id FROM messages
    WHERE account_id = $1 AND message_id = $2 AND revision = $3 AND state = 'queued' FOR NO KEY UPDATE
), funds AS (
    SELECT a.account_id, standing.message_id, balance_micros + credit_limit_micros >= $12::bigint AS enough
    FROM accounts a JOIN standing USING (account_id) FOR NO KEY UPDATE OF a
), token AS (
    SELECT d.account_id, d.message_id, funds.enough FROM delayed d JOIN funds USING (account_id, message_id)
    WHERE d.claimed_epoch = 0 FOR UPDATE OF d
), changed AS (
    UPDATE messages m SET part_count = $4::smallint, data_coding = $5, price_micros = $6, expires_at_ms = $7, not_before_ms = $8,
        user_data = $9, envelope = $10, notify = $11, part_states = repeat('Q', $4::smallint), revision = revision + 1
    FROM token
    WHERE token.enough AND m.account_id = token.account_id AND m.message_id = token.message_id AND m.message_id = $2
    RETURNING m.account_id
), paid AS (
    UPDATE accounts a SET balance_micros = a.balance_micros - $12::bigint FROM changed
    WHERE a.account_id = changed.account_id AND $12::bigint <> 0
), posted AS (
    INSERT INTO ledger (account_id, kind, from_purse, to_purse, amount_micros)
    SELECT account_id, CASE WHEN $12::bigint > 0 THEN 'hold' ELSE 'release' END,
           CASE WHEN $12::bigint > 0 THEN 'available' ELSE 'held' END,
           CASE WHEN $12::bigint > 0 THEN 'held' ELSE 'available' END, abs($12::bigint)
    FROM changed WHERE $12::bigint <> 0
), due AS (
    UPDATE delayed d SET
        due_at_ms = CASE WHEN $13::bigint > 0 AND EXISTS (SELECT FROM changed) THEN $13::bigint
                         WHEN d.why = $15 THEN $14::bigint ELSE d.due_at_ms END
    FROM token WHERE d.account_id = token.account_id AND d.message_id = token.message_id
)
SELECT EXISTS (SELECT FROM changed) AS changed, (SELECT NOT enough FROM token) AS too_poor;

-- name: make_wish
-- Asks the node that holds a message to change it.
INSERT INTO recall_wishes (holder_node, account_id, message_id, changes) VALUES ($1, $2, $3, $4) RETURNING wish_id;

-- name: wish_outcome
-- What became of a wish, so far.
SELECT outcome FROM recall_wishes WHERE wish_id = $1;

-- name: drop_wish
-- Forgets a wish: it was answered, or its customer was told to come again.
DELETE FROM recall_wishes WHERE wish_id = $1;

-- name: open_wishes
-- What other nodes ask of this one; those whose asker is surely gone are forgotten.
WITH gone AS (DELETE FROM recall_wishes WHERE asked_at < now() - interval '1 minute')
SELECT wish_id, account_id, message_id, changes FROM recall_wishes
WHERE holder_node = $1 AND outcome IS NULL AND asked_at >= now() - interval '1 minute' ORDER BY wish_id LIMIT $2;

-- name: answer_wish
-- Tells the asking node what became of its wish.
UPDATE recall_wishes SET outcome = $2 WHERE wish_id = $1;
