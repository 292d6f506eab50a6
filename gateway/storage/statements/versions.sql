-- Routes and rates by versions: what each said, what is being written, what is put in force.

-- name: note_author
-- Says, for this transaction, who makes a version and why.
SELECT set_config('passerelle.by', $1, true), set_config('passerelle.why', $2, true);

-- name: lock_version
-- The version in force, which nobody changes until this transaction ends.
SELECT version FROM rule_heads WHERE kind = $1 FOR UPDATE;

-- name: current_version
-- The version in force.
SELECT version FROM rule_heads WHERE kind = $1;

-- name: list_versions
-- The versions below one, newest first.
SELECT version, made_at, made_by, why, equal_to FROM rule_versions
 WHERE kind = $1 AND version < $2 ORDER BY version DESC LIMIT $3;

-- name: routes_of_version
-- The routes of a version.
SELECT route_id, "order", prefix, mcc, mnc, account_id, sender, traffic_class, windows, connector_id, weight, enabled, cost_micros
  FROM route_rows WHERE from_version <= $1 AND (until_version IS NULL OR until_version > $1) ORDER BY "order", route_id;

-- name: rates_of_version
-- The rates of a version.
SELECT rate_id, account_id, prefix, price_micros FROM rates
 WHERE from_version <= $1 AND (until_version IS NULL OR until_version > $1) ORDER BY account_id NULLS FIRST, prefix;

-- name: page_of_rates
-- The rates of a version after a place, by account (0: everybody's) and prefix; $2: one account's alone.
SELECT rate_id, account_id, prefix, price_micros FROM rates
 WHERE from_version <= $1 AND (until_version IS NULL OR until_version > $1) AND ($2::integer IS NULL OR account_id = $2)
   AND (coalesce(account_id, 0), prefix) > ($3::integer, $4::text) ORDER BY coalesce(account_id, 0), prefix LIMIT $5;

-- name: mark_equal
-- Says that the version in force was rolled back to another.
UPDATE rule_versions SET equal_to = $3 WHERE kind = $1 AND version = $2;

-- name: remove_routes
-- Takes these routes away.
DELETE FROM routes WHERE route_id = ANY ($1::integer[]);

-- name: change_route
-- Gives a route other values.
UPDATE routes SET "order" = $2, prefix = $3, mcc = $4, mnc = $5, account_id = $6, sender = $7, traffic_class = $8, windows = $9,
       connector_id = $10, weight = $11, enabled = $12, cost_micros = $13 WHERE route_id = $1;

-- name: restore_route
-- Puts a route back under the number that messages know it by.
INSERT INTO routes (route_id, "order", prefix, mcc, mnc, account_id, sender, traffic_class, windows, connector_id, weight, enabled, cost_micros)
OVERRIDING SYSTEM VALUE VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: open_route
-- Adds a route that has no number yet.
INSERT INTO routes ("order", prefix, mcc, mnc, account_id, sender, traffic_class, windows, connector_id, weight, enabled, cost_micros)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- name: close_rates
-- Ends the rates in force of these accounts (0: everybody's) and prefixes.
WITH made AS MATERIALIZED (SELECT rule_version('rates') AS version)
UPDATE rates r SET replaced_at = now(), until_version = made.version
  FROM made, unnest($1::integer[], $2::text[]) AS gone (account_id, prefix)
 WHERE r.replaced_at IS NULL AND coalesce(r.account_id, 0) = gone.account_id AND r.prefix = gone.prefix;

-- name: open_rates
-- Puts rates in force.
WITH made AS MATERIALIZED (SELECT rule_version('rates') AS version)
INSERT INTO rates (account_id, prefix, price_micros, from_version)
SELECT nullif(fresh.account_id, 0), fresh.prefix, fresh.price_micros, made.version
  FROM made, unnest($1::integer[], $2::text[], $3::bigint[]) AS fresh (account_id, prefix, price_micros);

-- name: add_draft
-- Begins a draft.
INSERT INTO rule_drafts (kind, based_on, note, made_by, row_count, content) VALUES ($1, $2, $3, $4, $5, $6) RETURNING draft_id;

-- name: list_drafts
-- The drafts below one, newest first; $2: open ones alone.
SELECT draft_id, kind, based_on, state, note, made_by, made_at, changed_at, revision, became, row_count FROM rule_drafts
 WHERE kind = $1 AND (state = 'open' OR NOT $2::boolean) AND draft_id < $3 ORDER BY draft_id DESC LIMIT $4;

-- name: find_draft
-- One draft with its content.
SELECT draft_id, kind, based_on, state, note, made_by, made_at, changed_at, revision, became, row_count, content
  FROM rule_drafts WHERE kind = $1 AND draft_id = $2;

-- name: lock_draft
-- The same, which nobody changes until this transaction ends.
SELECT draft_id, kind, based_on, state, note, made_by, made_at, changed_at, revision, became, row_count, content
  FROM rule_drafts WHERE kind = $1 AND draft_id = $2 FOR UPDATE;

-- name: change_draft
-- Changes an open draft; no row when somebody else changed it since $2 was read. NULL leaves a value as it is.
UPDATE rule_drafts SET note = coalesce($3, note), based_on = coalesce($4, based_on), row_count = coalesce($5, row_count),
       content = coalesce($6, content), revision = revision + 1, changed_at = now()
 WHERE draft_id = $1 AND revision = $2 AND state = 'open' RETURNING revision;

-- name: end_draft
-- Closes an open draft as activated or discarded.
UPDATE rule_drafts SET state = $2, became = $3, changed_at = now(), revision = revision + 1 WHERE draft_id = $1 AND state = 'open' RETURNING draft_id;

-- name: sample_messages
-- Messages of a span of ids, the first $3 of each minute and connector. For dry runs.
SELECT m.message_id, m.account_id, m.source_addr, m.destination_addr, m.traffic_class, m.part_count
  FROM connectors c CROSS JOIN generate_series($1::bigint, $2::bigint - 1, (60000::bigint << 20)) AS minute (first_id)
 CROSS JOIN LATERAL (
    SELECT * FROM messages m WHERE m.connector_id = c.connector_id AND m.message_id >= minute.first_id
       AND m.message_id < least(minute.first_id + (60000::bigint << 20), $2) ORDER BY m.message_id LIMIT $3) m;
