-- The proofs of `passerelle check`. Each proof returns at most 20 offenders: offender (an id or a name), detail (what is
-- wrong with it) and failed (how many there are in all). A count says over how many rows a proof ran.

-- name: make_log_tables
-- Where the simulators' logs are put beside the rows, for this connection only.
CREATE TEMP TABLE wire_copies (smsc_message_id text, source text, destination text, user_data bytea, verdict text);
CREATE TEMP TABLE wire_receipts (smsc_message_id text, dressed_as text, final boolean);  -- dressed_as: in the receipt itself
CREATE TEMP TABLE acknowledged (message_id text, id bigint);  -- id: NULL where the text is none of ours
CREATE TEMP TABLE heard_receipts (message_id text, id bigint);

-- name: prepare_log_tables
-- Indexes and figures for the planner, once the logs are in.
CREATE INDEX ON wire_copies (smsc_message_id);
CREATE INDEX ON wire_receipts (dressed_as);
CREATE INDEX ON acknowledged (message_id);
CREATE INDEX ON heard_receipts (message_id);
ANALYZE wire_copies; ANALYZE wire_receipts; ANALYZE acknowledged; ANALYZE heard_receipts;

-- name: count_messages
-- All messages.
SELECT count(*) FROM messages;

-- name: count_open_messages
-- The messages that are not final.
SELECT count(*) FROM messages WHERE state IN ('queued', 'submitted', 'in_doubt');

-- name: count_final_messages
-- The messages that are final.
SELECT count(*) FROM messages WHERE state NOT IN ('queued', 'submitted', 'in_doubt');

-- name: count_accounts
-- All accounts.
SELECT count(*) FROM accounts;

-- name: count_postings
-- All postings of the ledger.
SELECT count(*) FROM ledger;

-- name: count_moves
-- The moves of credit that people made.
SELECT count(*) FROM credit_moves WHERE state = 'applied';

-- name: count_partitions
-- The days of messages.
SELECT count(*) FROM pg_inherits WHERE inhparent = 'messages'::regclass;

-- name: count_attempts
-- The parts whose outcome is not stored yet.
SELECT coalesce(sum(cardinality(message_ids)), 0)::bigint FROM open_attempts;

-- name: count_smsc_ids
-- The carriers' ids we know.
SELECT count(*) FROM smsc_ids;

-- name: count_parked
-- The receipts nobody waited for.
SELECT count(*) FROM parked_receipts;

-- name: count_acknowledged
-- The message ids that the ESME logs saw in a good response.
SELECT count(*) FROM acknowledged;

-- name: count_heard_receipts
-- The receipts in the ESME logs.
SELECT count(*) FROM heard_receipts;

-- name: count_wire_copies
-- The parts that the SMSC logs took.
SELECT count(*) FROM wire_copies;

-- name: count_wire_receipts
-- The final receipts that the SMSC logs saw acknowledged.
SELECT count(*) FROM wire_receipts WHERE final;

-- name: ledger_sums_to_zero
-- Every purse of every account together is nothing: credit is moved, never made.
SELECT 'ledger' AS offender, format('the legs sum to %s micros', sum(amount_micros)) AS detail, 1::bigint AS failed
  FROM ledger_legs HAVING coalesce(sum(amount_micros), 0) <> 0;

-- name: balance_is_the_purse
-- The balance of an account is what its purse 'available' sums to.
SELECT a.name AS offender,
       format('balance %s, purse available %s', a.balance_micros, coalesce(p.micros, 0)) AS detail,
       count(*) OVER () AS failed
  FROM accounts a
  LEFT JOIN (SELECT account_id, sum(amount_micros) AS micros FROM ledger_legs WHERE purse = 'available' GROUP BY 1) p
       USING (account_id)
 WHERE a.balance_micros <> coalesce(p.micros, 0)
 ORDER BY a.name LIMIT 20;

-- name: held_is_the_purse
-- What is held of an account is the price of its messages whose hold is open.
SELECT coalesce(a.name, account_id::text) AS offender,
       format('purse held %s, messages held %s', coalesce(p.micros, 0), coalesce(m.micros, 0)) AS detail,
       count(*) OVER () AS failed
  FROM (SELECT account_id, sum(amount_micros) AS micros FROM ledger_legs WHERE purse = 'held' GROUP BY 1) p
  FULL JOIN (SELECT account_id, sum(price_micros) AS micros FROM messages WHERE hold = 'held' GROUP BY 1) m
       USING (account_id)
  LEFT JOIN accounts a USING (account_id)
 WHERE coalesce(p.micros, 0) <> coalesce(m.micros, 0)
 ORDER BY 1 LIMIT 20;

-- name: spent_is_the_purse
-- What an account spent is the price of its messages whose hold was captured.
SELECT coalesce(a.name, account_id::text) AS offender,
       format('purse spent %s, messages captured %s', coalesce(p.micros, 0), coalesce(m.micros, 0)) AS detail,
       count(*) OVER () AS failed
  FROM (SELECT account_id, sum(amount_micros) AS micros FROM ledger_legs WHERE purse = 'spent' GROUP BY 1) p
  FULL JOIN (SELECT account_id, sum(price_micros) AS micros FROM messages WHERE hold = 'captured' GROUP BY 1) m
       USING (account_id)
  LEFT JOIN accounts a USING (account_id)
 WHERE coalesce(p.micros, 0) <> coalesce(m.micros, 0)
 ORDER BY 1 LIMIT 20;

-- name: balance_within_credit
-- No account is further down than its credit limit.
SELECT name AS offender, format('balance %s, limit %s', balance_micros, credit_limit_micros) AS detail,
       count(*) OVER () AS failed
  FROM accounts WHERE balance_micros + credit_limit_micros < 0 ORDER BY name LIMIT 20;

-- name: hold_fits_state
-- A final message has its hold closed; one not yet taken by a carrier still has it; a delivered one was paid.
SELECT message_id::text AS offender, format('%s, %s', state, hold) AS detail, count(*) OVER () AS failed
  FROM messages
 WHERE (hold = 'held' AND state NOT IN ('queued', 'submitted', 'in_doubt'))
    OR (hold = 'released' AND state IN ('queued', 'submitted', 'in_doubt', 'delivered'))
 ORDER BY message_id LIMIT 20;

-- name: moves_are_posted
-- What people moved stands in the ledger as they moved it, and every credited order has its move.
SELECT offender, detail, count(*) OVER () AS failed FROM (
    SELECT 'move ' || m.move_id AS offender, format('%s of %s micros, otherwise posted', m.kind, m.amount_micros) AS detail
      FROM credit_moves m LEFT JOIN ledger l USING (posting_id)
     WHERE m.state = 'applied' AND m.kind <> 'credit_limit'
       AND (l.account_id, l.amount_micros, l.to_purse) IS DISTINCT FROM
           (m.account_id, abs(m.amount_micros), CASE WHEN m.amount_micros > 0 THEN 'available' ELSE 'funding' END)
    UNION ALL
    SELECT 'order ' || o.order_id, 'credited without a move'
      FROM credit_orders o
     WHERE o.state = 'credited'
       AND NOT EXISTS (SELECT FROM credit_moves m WHERE m.order_id = o.order_id AND m.state = 'applied')
) AS found ORDER BY offender LIMIT 20;

-- name: never_reopened_stands
-- On each day of messages the trigger stands that refuses to reopen a final message or a closed hold.
SELECT i.inhrelid::regclass::text AS offender, 'the trigger never_reopened is missing or disabled' AS detail,
       count(*) OVER () AS failed
  FROM pg_inherits i
 WHERE i.inhparent = 'messages'::regclass
   AND NOT EXISTS (SELECT FROM pg_trigger t
                    WHERE t.tgrelid = i.inhrelid AND t.tgname = 'never_reopened' AND t.tgenabled = 'O')
 ORDER BY 1 LIMIT 20;

-- name: final_is_whole
-- A final message says when it ended and leaves no part waiting; an open one has no end yet.
SELECT message_id::text AS offender, format('%s, parts %s, ended at %s', state, part_states, final_at_ms) AS detail,
       count(*) OVER () AS failed
  FROM messages
 WHERE length(part_states) <> part_count
    OR (final_at_ms = 0) <> (state IN ('queued', 'submitted', 'in_doubt'))
    OR (state = 'delivered' AND part_states !~ '^D+$')
 ORDER BY message_id LIMIT 20;

-- name: nothing_open_past_deadline
-- No message is open an hour after its validity ended. $1: now, in Unix milliseconds.
SELECT message_id::text AS offender, format('%s, validity ended at %s', state, expires_at_ms) AS detail,
       count(*) OVER () AS failed
  FROM messages
 WHERE state IN ('queued', 'submitted', 'in_doubt') AND expires_at_ms + 3600000 < $1::bigint
 ORDER BY message_id LIMIT 20;

-- name: customer_is_told
-- No receipt that was asked for waits longer than 25 hours after the message ended. $1: now, in Unix milliseconds.
SELECT message_id::text AS offender, format('%s since %s, receipt still due', state, final_at_ms) AS detail,
       count(*) OVER () AS failed
  FROM messages
 WHERE notify = 'asked' AND final_at_ms > 0 AND final_at_ms + 90000000 < $1::bigint
 ORDER BY message_id LIMIT 20;

-- name: attempts_have_messages
-- Every open attempt is of a stored message.
SELECT o.message_id::text AS offender, format('open attempt %s of node %s', o.batch_id, o.node_id) AS detail,
       count(*) OVER () AS failed
  FROM (SELECT node_id, batch_id, unnest(account_ids) AS account_id, unnest(message_ids) AS message_id
          FROM open_attempts) o
  LEFT JOIN messages m USING (account_id, message_id)
 WHERE m.message_id IS NULL
 ORDER BY 1 LIMIT 20;

-- name: smsc_ids_have_messages
-- Every carrier's id belongs to a stored message, and stands in it at its part.
SELECT s.message_id::text AS offender,
       format('carrier id %s of part %s is not in the message', s.smsc_message_id, s.part_no) AS detail,
       count(*) OVER () AS failed
  FROM smsc_ids s LEFT JOIN messages m USING (account_id, message_id)
 WHERE m.message_id IS NULL
    OR NOT s.smsc_message_id = ANY (string_to_array(m.smsc_message_ids, chr(31)))
 ORDER BY 1 LIMIT 20;

-- name: receipts_are_joined
-- No receipt waits for its message longer than 72 hours and the ten minutes a node takes to see it. $1: now, in Unix milliseconds.
SELECT smsc_message_id AS offender, format('connector %s, received at %s', connector_id, received_at_ms) AS detail,
       count(*) OVER () AS failed
  FROM parked_receipts WHERE received_at_ms + 259800000 < $1::bigint
 ORDER BY parked_id LIMIT 20;

-- name: acknowledged_is_stored
-- Every message id that an ESME saw in a good response is a stored message.
SELECT g.message_id AS offender, 'acknowledged and not stored' AS detail, count(*) OVER () AS failed
  FROM acknowledged g
 WHERE NOT EXISTS (SELECT FROM messages m WHERE m.message_id = g.id)
 ORDER BY 1 LIMIT 20;

-- name: acknowledged_once
-- No message id was given to two submissions.
SELECT message_id AS offender, format('in %s good responses', count(*)) AS detail, count(*) OVER () AS failed
  FROM acknowledged GROUP BY message_id HAVING count(*) > 1 ORDER BY 1 LIMIT 20;

-- name: receipts_are_known
-- Every receipt that an ESME heard is of a stored message.
SELECT h.message_id AS offender, 'receipt of an unknown message' AS detail, count(*) OVER () AS failed
  FROM (SELECT DISTINCT message_id, id FROM heard_receipts) h
 WHERE NOT EXISTS (SELECT FROM messages m WHERE m.message_id = h.id)
 ORDER BY 1 LIMIT 20;

-- name: told_was_heard
-- Every message of these ESMEs whose customer was told before $1 (Unix milliseconds) was heard by its ESME.
SELECT m.message_id::text AS offender, format('%s, told at %s', m.state, m.notified_at_ms) AS detail,
       count(*) OVER () AS failed
  FROM acknowledged g
  JOIN messages m ON m.message_id = g.id
 WHERE m.notify = 'done' AND m.final_at_ms > 0 AND m.notified_at_ms BETWEEN 1 AND $1::bigint
   AND NOT EXISTS (SELECT FROM heard_receipts h WHERE h.message_id = g.message_id)
 ORDER BY m.message_id LIMIT 20;

-- name: copies_within_doubt
-- Of each text between two numbers the carriers took no more copies than its messages and their attempts in doubt.
SELECT format('%s > %s', w.source, w.destination) AS offender,
       format('%s copies of text %s, allowed %s', w.copies, left(encode(w.user_data, 'hex'), 40), coalesce(m.allowed, 0))
           AS detail,
       count(*) OVER () AS failed
  FROM (SELECT source, destination, user_data, count(*) AS copies FROM wire_copies GROUP BY 1, 2, 3) w
  JOIN (SELECT ltrim(source_addr, '+') AS source, ltrim(destination_addr, '+') AS destination, user_data,
               sum(1 + in_doubt_count) AS allowed
          FROM messages WHERE part_count = 1 GROUP BY 1, 2, 3) m USING (source, destination, user_data)
 WHERE w.copies > m.allowed
 ORDER BY 1, 2 LIMIT 20;

-- name: parts_within_doubt
-- Between two numbers the carriers took no more parts than their messages have, and their attempts in doubt.
SELECT format('%s > %s', w.source, w.destination) AS offender,
       format('%s parts taken, allowed %s', w.copies, coalesce(m.allowed, 0)) AS detail, count(*) OVER () AS failed
  FROM (SELECT source, destination, count(*) AS copies FROM wire_copies GROUP BY 1, 2) w
  LEFT JOIN (SELECT ltrim(source_addr, '+') AS source, ltrim(destination_addr, '+') AS destination,
                    sum(part_count + in_doubt_count) AS allowed
               FROM messages GROUP BY 1, 2) m USING (source, destination)
 WHERE w.copies > coalesce(m.allowed, 0)
 ORDER BY 1, 2 LIMIT 20;

-- name: submitted_is_on_the_wire
-- Every carrier's id stored before $1 (Unix milliseconds) is in a carrier's log: we never claim what was not sent.
SELECT m.message_id::text AS offender, format('%s, carrier id %s is in no log', m.state, s.id) AS detail,
       count(*) OVER () AS failed
  FROM messages m CROSS JOIN unnest(string_to_array(m.smsc_message_ids, chr(31))) AS s (id)
 WHERE m.submitted_at_ms BETWEEN 1 AND $1::bigint AND m.state IN ('submitted', 'delivered') AND s.id <> ''
   AND NOT EXISTS (SELECT FROM wire_copies w WHERE w.smsc_message_id = s.id)
   AND NOT EXISTS (SELECT FROM wire_receipts r WHERE r.dressed_as = s.id)  -- a doubt that a receipt resolved
 ORDER BY m.message_id LIMIT 20;

-- name: acknowledged_receipts_are_kept
-- Every final receipt that a carrier saw acknowledged ended its message, or is parked.
SELECT r.smsc_message_id AS offender, 'receipt acknowledged, its message still open' AS detail,
       count(*) OVER () AS failed
  FROM (SELECT DISTINCT smsc_message_id FROM wire_receipts WHERE final) r
  JOIN smsc_ids s USING (smsc_message_id)
  JOIN messages m USING (account_id, message_id)
 WHERE m.state IN ('queued', 'submitted', 'in_doubt') AND substr(m.part_states, s.part_no + 1, 1) IN ('Q', 'S', 'I')
   AND NOT EXISTS (SELECT FROM parked_receipts p WHERE p.smsc_message_id = r.smsc_message_id)
 ORDER BY 1 LIMIT 20;
