-- Accounts by operators: what they may write of them, and what was changed, one row a value; credit moves elsewhere.

CREATE TABLE account_history (
    account_id integer NOT NULL REFERENCES accounts,
    changed_at timestamptz NOT NULL DEFAULT now(),
    field      text NOT NULL,
    former     text,
    became     text
);
CREATE INDEX account_history_by_account ON account_history (account_id, changed_at);
CREATE FUNCTION remember_account_change() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public AS $$
BEGIN
    INSERT INTO account_history (account_id, field, former, became)
    SELECT NEW.account_id, o.key, o.value, n.value
    FROM jsonb_each_text(to_jsonb(OLD)) o JOIN jsonb_each_text(to_jsonb(NEW)) n USING (key)
    WHERE o.value IS DISTINCT FROM n.value AND o.key IN ('name', 'state', 'credit_limit_micros', 'default_region', 'language',
          'masked_refusals', 'tps', 'per_minute', 'per_day', 'parent_account_id');
    RETURN NULL;
END $$;
CREATE TRIGGER account_changed AFTER UPDATE OF name, state, credit_limit_micros, default_region, language, masked_refusals,
    tps, per_minute, per_day, parent_account_id ON accounts FOR EACH ROW EXECUTE FUNCTION remember_account_change();

GRANT INSERT (name, default_region, language, tps, per_minute, per_day, parent_account_id),
    UPDATE (state, default_region, language, masked_refusals, tps, per_minute, per_day, parent_account_id, keeps_events)
    ON accounts TO passerelle_operators;
GRANT SELECT ON account_history TO passerelle_operators;
GRANT INSERT (account_id, name, prefix, key_hash, scopes, allow_cidrs, requests_per_s, traffic_class, expires_at)
    ON api_keys TO passerelle_operators;
GRANT SELECT (esme_id, system_id, account_id), INSERT (system_id, account_id, password_hash, max_binds, window_size, tps,
    allow_cidrs, traffic_class) ON esmes TO passerelle_operators;
GRANT INSERT (account_id, prefix, price_micros), UPDATE (replaced_at) ON rates TO passerelle_operators;
