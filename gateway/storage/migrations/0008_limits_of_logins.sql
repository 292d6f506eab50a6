-- Limits of a login by type of bind beside max_binds, a former password that lives on for a while, and the rates of an account.
ALTER TABLE esmes
    ADD COLUMN max_transmitters integer NOT NULL DEFAULT 1000 CHECK (max_transmitters BETWEEN 0 AND 1000), -- 0: none of this type
    ADD COLUMN max_receivers    integer NOT NULL DEFAULT 1000 CHECK (max_receivers BETWEEN 0 AND 1000),
    ADD COLUMN max_transceivers integer NOT NULL DEFAULT 1000 CHECK (max_transceivers BETWEEN 0 AND 1000),
    ADD COLUMN former_password_hash text NOT NULL DEFAULT '',       -- '': none
    ADD COLUMN former_until_ms bigint NOT NULL DEFAULT 0;           -- the former password binds before this instant

ALTER TABLE accounts -- over all its logins; 0: no limit
    ADD COLUMN tps        integer NOT NULL DEFAULT 0 CHECK (tps >= 0),
    ADD COLUMN per_minute integer NOT NULL DEFAULT 0 CHECK (per_minute >= 0),
    ADD COLUMN per_day    integer NOT NULL DEFAULT 0 CHECK (per_day >= 0);
CREATE TRIGGER rates_changed AFTER UPDATE OF tps, per_minute, per_day
    ON accounts FOR EACH STATEMENT EXECUTE FUNCTION tell_nodes_that_facts_changed();
