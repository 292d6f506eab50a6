-- Operators' search of messages and what is told of them; a window of time at a time, so that no page reads without end.

-- name: search_window
-- Messages with $3 <= id < $4, newest first, at most $5: of an account ($1; NULL: of all), or of those below one ($2; NULL: all).
-- $6 destination, $7 sender, $8 connector, $9 states, $10 class, $11 error, $12 how they were told; NULL: any.
SELECT a.name AS account, c.name AS connector, m.* FROM accounts a
 CROSS JOIN LATERAL (
    SELECT m.account_id, m.message_id, m.connector_id, m.traffic_class, m.part_count, m.part_states, m.price_micros, m.source_addr,
           m.destination_addr, m.state, m.hold, m.notify, m.error, m.smsc_message_ids, m.route_why, m.attempt_count, m.expires_at_ms,
           m.not_before_ms, m.submitted_at_ms, m.final_at_ms, m.notified_at_ms
      FROM messages m
     WHERE m.account_id = a.account_id AND m.message_id >= $3 AND m.message_id < $4
       AND ($6::text IS NULL OR m.destination_addr = $6) AND ($7::text IS NULL OR m.source_addr = $7)
       AND ($8::smallint IS NULL OR m.connector_id = $8) AND ($9::text[] IS NULL OR m.state = ANY ($9))
       AND ($10::text IS NULL OR m.traffic_class = $10) AND ($11::text IS NULL OR m.error = $11)
       AND ($12::text[] IS NULL OR m.notify = ANY ($12))
     ORDER BY m.message_id DESC LIMIT $5) m
  LEFT JOIN connectors c ON c.connector_id = m.connector_id
 WHERE ($1::integer IS NULL OR a.account_id = $1)
   AND ($2::integer IS NULL OR a.account_id IN (SELECT t.account_id FROM account_tree($2) t))
 ORDER BY m.message_id DESC LIMIT $5;

-- name: connector_named
-- The id of a connector by its name.
SELECT connector_id FROM connectors WHERE name = $1;
