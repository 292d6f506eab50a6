-- What handsets send: owners, parts that wait, conversations, opt-outs.

-- name: load_inbound_routes
-- Whose messages to a number are, the numbers given by `number add` among them (route 0), with what answers need to know.
SELECT r.route_id, r."order", r.address, r.is_prefix, r.keyword, r.account_id, r.esme_id, a.name, a.language,
       coalesce(e.long_inbound = 'parts', false) AS as_parts
  FROM inbound_routes r JOIN accounts a ON a.account_id = r.account_id LEFT JOIN esmes e ON e.esme_id = r.esme_id
UNION ALL
SELECT 0, 100, n.address, false, NULL, n.account_id, n.esme_id, a.name, a.language, coalesce(e.long_inbound = 'parts', false)
  FROM inbound_numbers n JOIN accounts a ON a.account_id = n.account_id LEFT JOIN esmes e ON e.esme_id = n.esme_id
 ORDER BY 2, 1;

-- name: add_inbound_route
-- Gives what is sent to a number, or to every number of a prefix, to an ESME; no row when its place is taken.
INSERT INTO inbound_routes ("order", address, is_prefix, keyword, account_id, esme_id) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT DO NOTHING RETURNING route_id;

-- name: list_inbound_routes
-- The routes of inbound messages, the most particular first.
SELECT r.route_id, r.address, r.is_prefix, r.keyword, r."order", a.name AS account, e.system_id
  FROM inbound_routes r JOIN accounts a ON a.account_id = r.account_id JOIN esmes e ON e.esme_id = r.esme_id
 ORDER BY r.is_prefix, length(r.address) DESC, r.address, r.keyword NULLS LAST, r."order", r.route_id;

-- name: remove_inbound_route
-- Takes a route of inbound messages away.
DELETE FROM inbound_routes WHERE route_id = $1 RETURNING route_id;

-- name: set_language
-- The language in which an account's subscribers are answered.
UPDATE accounts SET language = $2 WHERE account_id = $1 RETURNING account_id;

-- name: set_long_inbound
-- Whether a login gets long inbound messages joined or in parts.
UPDATE esmes SET long_inbound = $2 WHERE esme_id = $1 RETURNING esme_id;

-- name: set_alphabet
-- What a login means by data_coding 0.
UPDATE esmes SET default_alphabet = $2 WHERE esme_id = $1 RETURNING esme_id;

-- name: store_inbound_parts
-- Keeps parts of long messages, before the carrier is answered; a copy of one that is kept is no news.
INSERT INTO inbound_parts (part_id, connector_id, source_addr, destination_addr, kind, reference, total, number, data_coding,
                           user_data, envelope, digest, received_at_ms)
SELECT * FROM unnest($1::bigint[], $2::smallint[], $3::text[], $4::text[], $5::text[], $6::integer[], $7::smallint[], $8::smallint[],
                     $9::smallint[], $10::bytea[], $11::bytea[], $12::bytea[], $13::bigint[])
ON CONFLICT ON CONSTRAINT one_copy DO NOTHING;

-- name: waiting_parts
-- The parts of one handset that wait, in the order they came; nobody else joins them meanwhile.
SELECT part_id, connector_id, source_addr, destination_addr, kind, reference, total, number, data_coding, user_data, envelope,
       digest, received_at_ms
  FROM inbound_parts WHERE message_id = 0 AND connector_id = $1 AND source_addr = $2 ORDER BY part_id FOR UPDATE;

-- name: joinable_parts
-- Handsets with parts that are complete, or that waited since $1.
SELECT DISTINCT connector_id, source_addr FROM (
    SELECT connector_id, source_addr FROM inbound_parts WHERE message_id = 0
     GROUP BY connector_id, source_addr, destination_addr, kind, reference, total
    HAVING count(DISTINCT number) = total OR min(received_at_ms) <= $1) AS due LIMIT $2;

-- name: close_parts
-- Writes which message parts were delivered in.
UPDATE inbound_parts p SET message_id = n.message_id
  FROM unnest($1::bigint[], $2::bigint[]) AS n (part_id, message_id) WHERE p.part_id = n.part_id;

-- name: forget_parts
-- Parts that were delivered, once their reference may be used again.
DELETE FROM inbound_parts WHERE received_at_ms < $1 AND message_id <> 0;

-- name: note_conversations
-- Who wrote last to a handset from a shared number.
INSERT INTO conversations AS kept (number, handset, account_id, at_ms)
SELECT * FROM unnest($1::text[], $2::text[], $3::integer[], $4::bigint[])
ON CONFLICT (number, handset) DO UPDATE SET account_id = excluded.account_id, at_ms = excluded.at_ms
 WHERE kept.at_ms <= excluded.at_ms;

-- name: find_conversations
-- Who wrote last, since $3, to each of these handsets from these numbers.
SELECT number, handset, account_id FROM conversations
 WHERE (number, handset) IN (SELECT * FROM unnest($1::text[], $2::text[])) AND at_ms >= $3;

-- name: forget_conversations
-- Conversations that ended long ago.
DELETE FROM conversations WHERE at_ms < $1;

-- name: store_opt_outs
-- A person's last word to an account, in the transaction of the message that said it.
INSERT INTO opt_outs (account_id, number, opted_out, word, at_ms)
SELECT * FROM unnest($1::integer[], $2::text[], $3::boolean[], $4::text[], $5::bigint[])
ON CONFLICT (account_id, number) DO UPDATE SET opted_out = excluded.opted_out, word = excluded.word, at_ms = excluded.at_ms,
       source = 'handset', proof = '', changed_xact = pg_current_xact_id();

-- name: write_opt_out
-- A person's last word to an account, as an operator writes it down.
INSERT INTO opt_outs (account_id, number, opted_out, word, at_ms, source, proof) VALUES ($1, $2, $3, $4, $5, 'operator', $4)
ON CONFLICT (account_id, number) DO UPDATE SET opted_out = excluded.opted_out, word = excluded.word, at_ms = excluded.at_ms,
       source = excluded.source, proof = excluded.proof, changed_xact = pg_current_xact_id();

-- name: load_opt_outs
-- Who wants nothing more.
SELECT account_id, number, opted_out FROM opt_outs WHERE opted_out;

-- name: changed_opt_outs
-- What changed in transactions from $1 on.
SELECT account_id, number, opted_out FROM opt_outs WHERE changed_xact >= $1::text::xid8;

-- name: oldest_open_transaction
-- Every transaction before it has ended: what they changed is seen by now.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text;

-- name: list_opt_outs
-- The newest opt-outs: $1 account or all, $2 limit.
SELECT a.name AS account, o.number, o.opted_out, o.word, o.at_ms FROM opt_outs o JOIN accounts a USING (account_id)
 WHERE $1::integer IS NULL OR o.account_id = $1 ORDER BY o.at_ms DESC, o.number LIMIT $2;

-- name: claim_answers
-- Takes the right to answer people's words, each once: a row for each that nobody answered since $5.
INSERT INTO opt_out_answers AS kept (account_id, number, meaning, answered_at_ms)
SELECT account_id, number, meaning, $4 FROM unnest($1::integer[], $2::text[], $3::text[]) AS n (account_id, number, meaning)
ON CONFLICT (account_id, number, meaning) DO UPDATE SET answered_at_ms = excluded.answered_at_ms
 WHERE kept.answered_at_ms <= $5 RETURNING account_id, number, meaning;

-- name: list_inbound
-- The newest messages from handsets: $1 account or all, $2 only what nobody got, $3 before this id, $4 limit.
SELECT i.message_id, i.state, i.source_addr, i.destination_addr, a.name AS account, e.system_id, i.part_count, i.parts_missing,
       i.why, c.name AS connector
  FROM inbound_messages i LEFT JOIN accounts a ON a.account_id = i.account_id LEFT JOIN esmes e ON e.esme_id = i.esme_id
  LEFT JOIN connectors c ON c.connector_id = i.connector_id
 WHERE ($1::integer IS NULL OR i.account_id = $1) AND (NOT $2 OR i.state = 'unrouted') AND i.message_id < $3
 ORDER BY i.message_id DESC LIMIT $4;

-- name: reroute_inbound
-- Gives a stored message to an ESME; no row when one has it, or is about to get it.
UPDATE inbound_messages SET account_id = $2, esme_id = $3, why = $4, state = 'due'
 WHERE message_id = $1 AND state IN ('unrouted', 'dead') RETURNING message_id;

-- name: owe_inbound
-- What an ESME is owed by an operator's hand, and the nodes that may have it bound are told.
WITH owed AS (
    INSERT INTO waiting_notifications (esme_id, account_id, message_id, kind, due_at_ms, give_up_at_ms)
    VALUES ($1, $2, $3, 'inbound', $4, $5) ON CONFLICT (esme_id, message_id) DO NOTHING RETURNING esme_id
)
SELECT pg_notify('passerelle_inbound', esme_id::text) FROM owed;
