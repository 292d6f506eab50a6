-- What the operators' role needs to steer logins, ways out, routes and rates. Hashes of passwords it may write, never read.

CREATE FUNCTION rotate_login(wanted text, fresh_hash text, until_ms bigint) RETURNS integer LANGUAGE sql
    SECURITY DEFINER SET search_path = public AS $$
    UPDATE esmes SET former_password_hash = CASE WHEN until_ms > 0 THEN password_hash ELSE '' END,
           former_until_ms = until_ms, password_hash = fresh_hash
     WHERE system_id = wanted RETURNING esme_id
$$;
REVOKE ALL ON FUNCTION rotate_login FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rotate_login TO passerelle_operators;

GRANT SELECT (esme_id, system_id, account_id, state, max_binds, window_size, tps, allow_cidrs, traffic_class, v34_bind_errors,
    created_at, receipts_first, receipt_for_each_part, max_transmitters, max_receivers, max_transceivers, former_until_ms,
    long_inbound, default_alphabet) ON esmes TO passerelle_operators;
GRANT INSERT (system_id, account_id, password_hash, max_binds, window_size, tps, allow_cidrs, traffic_class)
    ON esmes TO passerelle_operators;
GRANT UPDATE (state, max_binds, window_size, tps, allow_cidrs, traffic_class, v34_bind_errors, receipts_first,
    receipt_for_each_part, max_transmitters, max_receivers, max_transceivers, former_password_hash, former_until_ms, long_inbound,
    default_alphabet) ON esmes TO passerelle_operators;
GRANT SELECT ON esme_history TO passerelle_operators;

GRANT UPDATE (wish) ON connectors TO passerelle_operators;
GRANT SELECT, INSERT (node_id, command, arguments, asked_by, part_of) ON node_commands TO passerelle_operators;

GRANT INSERT, UPDATE, DELETE ON routes TO passerelle_operators;
GRANT INSERT (account_id, prefix, price_micros, from_version), UPDATE (replaced_at, until_version) ON rates TO passerelle_operators;
GRANT SELECT, UPDATE (version) ON rule_heads TO passerelle_operators; -- locked, not changed: rule_version() changes it
GRANT SELECT, UPDATE (equal_to) ON rule_versions TO passerelle_operators;
GRANT SELECT ON route_rows TO passerelle_operators;
GRANT SELECT, INSERT, UPDATE ON rule_drafts TO passerelle_operators;

GRANT INSERT, DELETE ON inbound_numbers, inbound_routes TO passerelle_operators;
