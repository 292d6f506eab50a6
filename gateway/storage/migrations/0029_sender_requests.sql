-- Sender names are asked for with a proof and decided by operators: what is asked, what an approval says, its history; and
-- the names that nobody else may imitate.

ALTER TABLE sender_names
    ADD COLUMN sender_name_id integer GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD COLUMN countries     text[] NOT NULL DEFAULT '{}',   -- asked for (ISO 3166 alpha-2); empty: everywhere
    ADD COLUMN traffic_class text CHECK (traffic_class IN ('otp', 'transactional', 'marketing', 'service')),
    ADD COLUMN purpose       text NOT NULL DEFAULT '',
    ADD COLUMN sample        text NOT NULL DEFAULT '',       -- a text as it would be sent
    ADD COLUMN resembles     text NOT NULL DEFAULT '',       -- the protected name it looked like when asked for
    ADD COLUMN reason        text NOT NULL DEFAULT '',       -- of the last decision, as its customer reads it
    ADD COLUMN in_countries  text[] NOT NULL DEFAULT '{}',   -- approved there only; empty: everywhere
    ADD COLUMN by_connectors smallint[] NOT NULL DEFAULT '{}', -- approved over these only; empty: over all
    ADD COLUMN until_ms      bigint NOT NULL DEFAULT 0,      -- approved until then (Unix milliseconds); 0: without end
    DROP CONSTRAINT sender_names_state_check,
    ADD CONSTRAINT sender_names_state_check CHECK (state IN ('requested', 'approved', 'refused', 'suspended', 'withdrawn'));

-- Nodes need to know of names in use only: a request, which any customer may make, makes none read its facts again.
DROP TRIGGER facts_changed ON sender_names;
CREATE TRIGGER facts_added AFTER INSERT ON sender_names FOR EACH ROW
    WHEN (NEW.state = 'approved') EXECUTE FUNCTION tell_nodes_that_facts_changed();
CREATE TRIGGER facts_changed AFTER UPDATE ON sender_names FOR EACH ROW
    WHEN (OLD.state = 'approved' OR NEW.state = 'approved') EXECUTE FUNCTION tell_nodes_that_facts_changed();
CREATE TRIGGER facts_removed AFTER DELETE ON sender_names FOR EACH ROW
    WHEN (OLD.state = 'approved') EXECUTE FUNCTION tell_nodes_that_facts_changed();
CREATE INDEX sender_names_by_state ON sender_names (state, sender_name_id);

-- Papers that show that a name is its customer's. Small and few: they live where every process of the API finds them.
CREATE TABLE sender_proofs (
    proof_id       integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sender_name_id integer NOT NULL REFERENCES sender_names (sender_name_id) ON DELETE CASCADE,
    account_id     integer NOT NULL,
    file_name      text NOT NULL,
    kind           text NOT NULL CHECK (kind IN ('application/pdf', 'image/png', 'image/jpeg')), -- as its first octets say
    content        bytea NOT NULL CHECK (octet_length(content) BETWEEN 1 AND 5242880),
    sha256         bytea NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE sender_proofs ALTER COLUMN content SET STORAGE EXTERNAL; -- these forms are compressed already
CREATE INDEX sender_proofs_by_name ON sender_proofs (sender_name_id);

-- What happened to a sender name. asked_by: a customer's key, an operator, a command.
CREATE TABLE sender_name_history (
    entry_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    sender_name_id integer NOT NULL REFERENCES sender_names (sender_name_id) ON DELETE CASCADE,
    at             timestamptz NOT NULL DEFAULT now(),
    event          text NOT NULL CHECK (event IN ('request', 'approve', 'refuse', 'suspend', 'withdraw')),
    state          text NOT NULL,
    asked_by       text NOT NULL,
    reason         text NOT NULL DEFAULT '',
    in_countries   text[] NOT NULL DEFAULT '{}',
    by_connectors  smallint[] NOT NULL DEFAULT '{}',
    until_ms       bigint NOT NULL DEFAULT 0,
    despite        text NOT NULL DEFAULT ''                  -- the protected name that an approval was given despite of
);
CREATE INDEX sender_name_history_by_name ON sender_name_history (sender_name_id, entry_id);

-- Names that others must not imitate. whole_only: an ordinary word, which may stand among others.
CREATE TABLE protected_names (
    protected_name_id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name       text NOT NULL CHECK (name <> '' AND length(name) <= 64),
    country    text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
    kind       text NOT NULL CHECK (kind IN ('bank', 'operator', 'wallet', 'authority', 'other')),
    whole_only boolean NOT NULL DEFAULT false,
    source     text NOT NULL CHECK (source <> ''),
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT protected_once UNIQUE (name, country)
);

-- To start with: well-known names, to be reviewed by whoever runs this gateway.
INSERT INTO protected_names (name, country, kind, whole_only, source)
SELECT name, country, kind, whole_only, 'starting pack, November 2026: ' || CASE kind
       WHEN 'operator' THEN 'public networks' WHEN 'bank' THEN 'banks open to the public'
       WHEN 'wallet' THEN 'mobile money' ELSE 'public services' END
  FROM (
    SELECT unnest(string_to_array(names, ', ')) AS name, country, kind, whole_only FROM (VALUES
    ('BJ', 'operator', false, 'MTN, MTN Benin, Moov, Moov Africa, Moov Benin, Celtiis, SBIN'),
    ('BJ', 'wallet', false, 'MoMo, MTN MoMo, Moov Money, Celtiis Cash'),
    ('BJ', 'bank', false, 'Ecobank, BOA, Bank of Africa, UBA, NSIA Banque, BGFIBank, Orabank, Coris Bank, Banque Atlantique, Societe Generale, BIIC, BSIC, CCEI Bank'),
    ('BJ', 'authority', false, 'ARCEP, BCEAO, SBEE, SONEB, CNSS, ANIP, DGI Benin, Gouv Benin'),
    ('BJ', 'authority', true, 'Police, Douanes, Tresor, Impots, La Poste'),
    ('CI', 'operator', false, 'Orange, Orange CI, MTN, MTN CI, Moov, Moov Africa, Moov CI'),
    ('CI', 'wallet', false, 'Orange Money, MoMo, MTN MoMo, Moov Money, Djamo'),
    ('CI', 'wallet', true, 'Wave'),
    ('CI', 'bank', false, 'Ecobank, SGCI, Societe Generale, BICICI, NSIA Banque, BOA, Bank of Africa, UBA, Banque Atlantique, Coris Bank, Bridge Bank, Orabank, Banque Populaire, SIB, BNI'),
    ('CI', 'authority', false, 'ARTCI, BCEAO, SODECI, CNPS, DGI CI, Gouv CI, ANSUT'),
    ('CI', 'authority', true, 'Police, Douanes, Tresor, Impots, La Poste, CIE, CNAM'),
    ('SN', 'operator', false, 'Orange, Sonatel, Expresso, Promobile'),
    ('SN', 'operator', true, 'Free, Yas'),
    ('SN', 'wallet', false, 'Orange Money, Free Money, Mixx by Yas, Wizall, E-money'),
    ('SN', 'wallet', true, 'Wave, Mixx'),
    ('SN', 'bank', false, 'CBAO, Ecobank, SGSN, SGBS, Societe Generale, BICIS, BNDE, BHS, BOA, Bank of Africa, UBA, BSIC, Banque Atlantique, Orabank, Coris Bank, BIS'),
    ('SN', 'authority', false, 'ARTP, BCEAO, DGID, Senelec, Sen Eau, IPRES, Gouv Senegal'),
    ('SN', 'authority', true, 'Police, Douanes, Tresor, Impots, La Poste, CSS'),
    ('TG', 'operator', false, 'Togocom, Togocel, Moov, Moov Africa, Moov Togo, Yas Togo'),
    ('TG', 'operator', true, 'Yas'),
    ('TG', 'wallet', false, 'TMoney, Flooz, Mixx by Yas, Moov Money'),
    ('TG', 'wallet', true, 'Mixx'),
    ('TG', 'bank', false, 'Ecobank, Orabank, UTB, IB Bank, BTCI, BOA, Bank of Africa, NSIA Banque, Coris Bank, Sunu Bank, BSIC, Banque Atlantique, Societe Generale'),
    ('TG', 'authority', false, 'ARCEP, BCEAO, OTR, CEET, CNSS, INAM, Gouv Togo'),
    ('TG', 'authority', true, 'Police, Douanes, Tresor, La Poste, TDE'),
    ('FR', 'operator', false, 'Orange, SFR, Bouygues, Bouygues Telecom, Free Mobile, RED by SFR, Sosh'),
    ('FR', 'operator', true, 'Free'),
    ('FR', 'wallet', false, 'PayPal, Lydia, Paylib, Revolut, N26'),
    ('FR', 'bank', false, 'BNP Paribas, Credit Agricole, Societe Generale, La Banque Postale, Banque Postale, Caisse d''Epargne, Banque Populaire, Credit Mutuel, BoursoBank, Boursorama, LCL, CIC, Hello bank, Fortuneo, Monabanq'),
    ('FR', 'authority', false, 'Ameli, Impots Gouv, Impots.gouv, ANTAI, ANTS, URSSAF, Gouv FR, France Travail, FranceConnect, CPAM'),
    ('FR', 'authority', true, 'Police, Gendarmerie, Douane, Impots, La Poste, CAF, Justice, SAMU')
    ) AS pack (country, kind, whole_only, names)
  ) AS each
ON CONFLICT DO NOTHING;

-- What customers may do by the HTTP API: ask, and withdraw. They decide nothing.
GRANT UPDATE (state, decided_at, countries, traffic_class, purpose, sample, resembles, reason, in_countries, by_connectors, until_ms)
    ON sender_names TO passerelle_api;
CREATE FUNCTION refuse_to_decide_senders() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING ERRCODE = '42501', MESSAGE = 'the role passerelle_api may ask for sender names, never decide';
END $$;
CREATE TRIGGER api_decides_no_senders BEFORE INSERT OR UPDATE ON sender_names FOR EACH ROW
    WHEN (NEW.state NOT IN ('requested', 'withdrawn') AND current_user = 'passerelle_api')
    EXECUTE FUNCTION refuse_to_decide_senders();
GRANT INSERT (account_id, name, state, countries, traffic_class, purpose, sample, resembles) ON sender_names TO passerelle_api;
GRANT SELECT, INSERT ON sender_proofs TO passerelle_api;
GRANT SELECT, INSERT ON sender_name_history TO passerelle_api;
GRANT SELECT ON protected_names TO passerelle_api;
