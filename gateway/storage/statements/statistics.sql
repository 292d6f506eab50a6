-- Statistics: hours counted from the rows of their messages, and read by what people ask.

-- name: first_day
-- The first day that has messages, as YYYYMMDD.
SELECT min(right(inhrelid::regclass::text, 8)) FROM pg_inherits WHERE inhparent = 'messages'::regclass;

-- name: due_hours
-- Hours to be counted, newest first: those never counted from $1 to $2, and those that may have changed since: the younger an hour,
-- the sooner it is counted again. $3 now, $4 how many, $5 how long an hour is looked at anew after its end.
SELECT h.hour_ms FROM generate_series($1::bigint, $2::bigint, 3600000) AS h (hour_ms) LEFT JOIN statistics_marks m USING (hour_ms)
 WHERE m.hour_ms IS NULL
    OR ((m.open > 0 OR m.counted_at_ms < h.hour_ms + 3600000 + $5::bigint)
        AND m.counted_at_ms <= $3::bigint - CASE WHEN $3::bigint - h.hour_ms < 10800000 THEN 30000
                                                 WHEN $3::bigint - h.hour_ms < 172800000 THEN 600000 ELSE 3600000 END)
 ORDER BY h.hour_ms DESC LIMIT $4;

-- name: lock_statistics
-- One counts at a time, over all processes.
SELECT pg_try_advisory_xact_lock(7063, 1);

-- name: lock_hours
-- Nobody else changes a row meanwhile, in whatever order he would.
LOCK TABLE statistics_hours, statistics_marks IN SHARE ROW EXCLUSIVE MODE;

-- name: count_hour
-- The messages accepted from $1 to $2, by all that they are told by; the number by its first eight digits and its length. $3: the
-- bounds of durations in milliseconds.
SELECT m.account_id, m.connector_id, m.traffic_class, left(m.destination_addr, 8) AS opening, length(m.destination_addr) AS digits,
       m.state, m.hold, m.submitted_at_ms > 0 AS is_submitted,
       CASE WHEN m.submitted_at_ms > 0 THEN width_bucket(m.submitted_at_ms - (m.message_id >> 20), $3::bigint[]) END AS submit_width,
       CASE WHEN m.state = 'delivered' THEN width_bucket(m.final_at_ms - (m.message_id >> 20), $3::bigint[]) END AS deliver_width,
       count(*) AS messages, sum(m.part_count)::bigint AS parts, sum(m.price_micros)::bigint AS price_micros
  FROM accounts a
 CROSS JOIN LATERAL (SELECT * FROM messages m WHERE m.account_id = a.account_id AND m.message_id >= $1::bigint << 20
                                              AND m.message_id < $2::bigint << 20) m
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10;

-- name: forget_hour
-- What was counted of an hour before.
DELETE FROM statistics_hours WHERE hour_ms = $1;

-- name: store_hour
-- A row of an hour.
INSERT INTO statistics_hours (hour_ms, account_id, connector_id, traffic_class, country, operator, accepted, submitted, delivered,
                              undeliverable, rejected, expired, deleted, unknown, parts, charged_micros, held_micros, submit_counts, deliver_counts)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19);

-- name: mark_hour
-- An hour was counted at $2 with so many open messages.
INSERT INTO statistics_marks (hour_ms, counted_at_ms, open) VALUES ($1, $2, $3)
ON CONFLICT (hour_ms) DO UPDATE SET counted_at_ms = excluded.counted_at_ms, open = excluded.open;

-- name: counted_until
-- When the newest hour was counted.
SELECT max(counted_at_ms) FROM statistics_marks;

-- name: read_statistics
-- Sums of hours from $1 to $2, told apart by what $3 names; of an account ($4), those below one ($5), a country ($6), an operator
-- ($7), a connector ($8), a class ($9); NULL: all.
SELECT CASE WHEN 'hour' = ANY ($3::text[]) THEN h.hour_ms WHEN 'day' = ANY ($3) THEN h.hour_ms - h.hour_ms % 86400000 END AS from_ms,
       CASE WHEN 'account' = ANY ($3) THEN a.name END AS account, CASE WHEN 'account' = ANY ($3) THEN h.account_id END AS account_id,
       CASE WHEN 'connector' = ANY ($3) THEN coalesce(c.name, '') END AS connector,
       CASE WHEN 'class' = ANY ($3) THEN h.traffic_class END AS traffic_class,
       CASE WHEN 'country' = ANY ($3) THEN h.country END AS country, CASE WHEN 'operator' = ANY ($3) THEN h.operator END AS operator,
       sum(h.accepted)::bigint AS accepted, sum(h.submitted)::bigint AS submitted, sum(h.delivered)::bigint AS delivered,
       sum(h.undeliverable)::bigint AS undeliverable, sum(h.rejected)::bigint AS rejected, sum(h.expired)::bigint AS expired,
       sum(h.deleted)::bigint AS deleted, sum(h.unknown)::bigint AS unknown, sum(h.parts)::bigint AS parts,
       sum(h.charged_micros)::bigint AS charged_micros, sum(h.held_micros)::bigint AS held_micros,
       ARRAY[sum(h.submit_counts[1]), sum(h.submit_counts[2]), sum(h.submit_counts[3]), sum(h.submit_counts[4]),
             sum(h.submit_counts[5]), sum(h.submit_counts[6]), sum(h.submit_counts[7]), sum(h.submit_counts[8]),
             sum(h.submit_counts[9]), sum(h.submit_counts[10]), sum(h.submit_counts[11]), sum(h.submit_counts[12]),
             sum(h.submit_counts[13]), sum(h.submit_counts[14]), sum(h.submit_counts[15]), sum(h.submit_counts[16])]::bigint[] AS submit_counts,
       ARRAY[sum(h.deliver_counts[1]), sum(h.deliver_counts[2]), sum(h.deliver_counts[3]), sum(h.deliver_counts[4]),
             sum(h.deliver_counts[5]), sum(h.deliver_counts[6]), sum(h.deliver_counts[7]), sum(h.deliver_counts[8]),
             sum(h.deliver_counts[9]), sum(h.deliver_counts[10]), sum(h.deliver_counts[11]), sum(h.deliver_counts[12]),
             sum(h.deliver_counts[13]), sum(h.deliver_counts[14]), sum(h.deliver_counts[15]), sum(h.deliver_counts[16])]::bigint[] AS deliver_counts
  FROM statistics_hours h JOIN accounts a USING (account_id) LEFT JOIN connectors c ON c.connector_id = h.connector_id
 WHERE h.hour_ms >= $1 AND h.hour_ms < $2 AND ($4::integer IS NULL OR h.account_id = $4)
   AND ($5::integer IS NULL OR h.account_id IN (SELECT t.account_id FROM account_tree($5) t))
   AND ($6::text IS NULL OR h.country = $6) AND ($7::text IS NULL OR h.operator = $7) AND ($8::text IS NULL OR c.name = $8)
   AND ($9::text IS NULL OR h.traffic_class = $9)
 GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1 NULLS FIRST, 2, 4, 5, 6, 7 LIMIT $10;
