-- Routes and rates by versions. `routes` and the rates in force stay what nodes read; beside them is kept what every version
-- said. Each transaction that changes one of them, by whatever hand, makes one version: triggers see to it.

ALTER TABLE routes ADD COLUMN cost_micros bigint CHECK (cost_micros >= 0); -- what a part by it costs us; NULL: not known

CREATE TABLE rule_heads (
    kind    text PRIMARY KEY CHECK (kind IN ('routes', 'rates')),
    version integer NOT NULL,
    xact    xid8 NOT NULL                    -- the transaction that made it
);
CREATE TABLE rule_versions (
    kind     text NOT NULL CHECK (kind IN ('routes', 'rates')),
    version  integer NOT NULL,
    made_at  timestamptz NOT NULL DEFAULT now(),
    made_by  text NOT NULL,
    why      text NOT NULL DEFAULT '',
    equal_to integer,                        -- rolled back to that version
    PRIMARY KEY (kind, version)
);

-- What every version of the routes said: version V is the rows with from_version <= V < until_version.
CREATE TABLE route_rows (
    route_id      integer NOT NULL,
    from_version  integer NOT NULL,
    until_version integer,
    "order"       integer NOT NULL,
    prefix        text,
    mcc           text,
    mnc           text,
    account_id    integer,
    sender        text,
    traffic_class text,
    windows       integer[] NOT NULL,
    connector_id  smallint NOT NULL,
    weight        integer NOT NULL,
    enabled       boolean NOT NULL,
    cost_micros   bigint,
    PRIMARY KEY (route_id, from_version)
);
-- Rates have a row each for ever: the same two columns tell it.
ALTER TABLE rates ADD COLUMN from_version integer;
ALTER TABLE rates ADD COLUMN until_version integer;

-- The version that this transaction makes; a second editor waits here until the first has committed.
CREATE FUNCTION rule_version(of_kind text) RETURNS integer LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
    made integer;
BEGIN
    SELECT h.version INTO made FROM rule_heads h WHERE h.kind = of_kind AND h.xact = pg_current_xact_id();
    IF made IS NOT NULL THEN
        RETURN made;
    END IF;
    INSERT INTO rule_heads AS h (kind, version, xact) VALUES (of_kind, 1, pg_current_xact_id())
    ON CONFLICT (kind) DO UPDATE SET version = h.version + 1, xact = excluded.xact RETURNING h.version INTO made;
    INSERT INTO rule_versions (kind, version, made_by, why)
    VALUES (of_kind, made, coalesce(nullif(current_setting('passerelle.by', true), ''), session_user),
            coalesce(current_setting('passerelle.why', true), ''));
    RETURN made;
END $$;

CREATE FUNCTION remember_route() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
    made integer := rule_version('routes');
BEGIN
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM route_rows WHERE route_id = OLD.route_id AND from_version = made; -- changed twice by one version
        UPDATE route_rows SET until_version = made WHERE route_id = OLD.route_id AND until_version IS NULL;
    END IF;
    IF TG_OP <> 'DELETE' THEN
        INSERT INTO route_rows VALUES (NEW.route_id, made, NULL, NEW."order", NEW.prefix, NEW.mcc, NEW.mnc, NEW.account_id, NEW.sender,
            NEW.traffic_class, NEW.windows, NEW.connector_id, NEW.weight, NEW.enabled, NEW.cost_micros);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER route_remembered AFTER INSERT OR DELETE ON routes FOR EACH ROW EXECUTE FUNCTION remember_route();
CREATE TRIGGER route_change_remembered AFTER UPDATE ON routes FOR EACH ROW
    WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION remember_route();

CREATE FUNCTION begin_rate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    NEW.from_version := rule_version('rates');
    RETURN NEW;
END $$;
CREATE TRIGGER rate_begins BEFORE INSERT ON rates FOR EACH ROW WHEN (NEW.from_version IS NULL) EXECUTE FUNCTION begin_rate();
CREATE FUNCTION end_rate() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    NEW.until_version := rule_version('rates');
    RETURN NEW;
END $$;
CREATE TRIGGER rate_ends BEFORE UPDATE ON rates FOR EACH ROW
    WHEN (OLD.replaced_at IS NULL AND NEW.replaced_at IS NOT NULL AND NEW.until_version IS NULL) EXECUTE FUNCTION end_rate();

-- What stands when versions begin is the first of them; what was replaced before is of none.
SELECT set_config('passerelle.by', 'migration', true);
UPDATE rates SET from_version = CASE WHEN replaced_at IS NULL THEN rule_version('rates') ELSE 0 END,
                 until_version = CASE WHEN replaced_at IS NULL THEN NULL ELSE 0 END;
ALTER TABLE rates ALTER COLUMN from_version SET NOT NULL;
INSERT INTO route_rows SELECT route_id, rule_version('routes'), NULL, "order", prefix, mcc, mnc, account_id, sender, traffic_class,
    windows, connector_id, weight, enabled, cost_micros FROM routes;
SELECT set_config('passerelle.by', '', true);

-- What is being written, and not in force: a list of routes or rates as a document, edited as a whole.
CREATE TABLE rule_drafts (
    draft_id   integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind       text NOT NULL CHECK (kind IN ('routes', 'rates')),
    based_on   integer NOT NULL,              -- the version in force that it replaces
    state      text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'activated', 'discarded')),
    note       text NOT NULL DEFAULT '',
    made_by    text NOT NULL,
    made_at    timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    revision   integer NOT NULL DEFAULT 1,    -- one more at every change: who saw an older one changes nothing
    became     integer,                       -- the version it was activated as
    row_count  integer NOT NULL,
    content    bytea NOT NULL                 -- MessagePack of the rows (gateway/storage/versions.py)
);
CREATE INDEX rule_drafts_open ON rule_drafts (kind, draft_id) WHERE state = 'open';
