-- Operators decide sender names and keep blocks and opt-outs by the HTTP API; who wrote an opt-out down, and what shows it.

ALTER TABLE opt_outs
    ADD COLUMN source text NOT NULL DEFAULT 'handset' CHECK (source IN ('handset', 'customer', 'operator')), -- who wrote it down
    ADD COLUMN proof  text NOT NULL DEFAULT '';                                                             -- how the person said so

-- Numbers up to 10,000 are those of the starting pack; operators' own begin behind them.
ALTER TABLE protected_names ALTER COLUMN protected_name_id SET START WITH 10001 RESTART WITH 10001;

-- A customer writes down who wants to hear no more. Nobody is brought back by him.
CREATE FUNCTION refuse_to_bring_back() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the role passerelle_api may write opt-outs, never end them';
END $$;
CREATE TRIGGER api_brings_nobody_back BEFORE INSERT OR UPDATE ON opt_outs FOR EACH ROW
    WHEN (NOT NEW.opted_out AND current_user = 'passerelle_api') EXECUTE FUNCTION refuse_to_bring_back();
GRANT INSERT, UPDATE ON opt_outs TO passerelle_api;

GRANT UPDATE (state, reason, in_countries, by_connectors, until_ms, decided_at) ON sender_names TO passerelle_operators;
GRANT SELECT ON sender_proofs, protected_names TO passerelle_operators;
GRANT SELECT, INSERT ON sender_name_history TO passerelle_operators;
GRANT INSERT (name, country, kind, whole_only, source), DELETE ON protected_names TO passerelle_operators;
GRANT INSERT (account_id, prefix, kind, reason), UPDATE (removed_at, consent) ON blocks TO passerelle_operators;
GRANT INSERT, UPDATE ON opt_outs TO passerelle_operators;
