-- Notices: what people are told of beside messages. Stored in the transaction of what happened, addressed and sent by a job.

CREATE TABLE notices (
    notice_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event      text NOT NULL,
    account_id integer REFERENCES accounts,     -- whom it is for, or about; NULL: the house alone
    facts      jsonb NOT NULL,
    once       text,                            -- of one event with the same word there is one notice
    told_at_ms bigint NOT NULL,
    addressed  boolean NOT NULL DEFAULT false,  -- whether its sendings are made
    UNIQUE (event, once)
);
CREATE INDEX notices_to_address ON notices (notice_id) WHERE NOT addressed;
CREATE INDEX notices_by_account ON notices (account_id, notice_id);
CREATE INDEX notices_by_age ON notices (told_at_ms);

-- Who is told, where, of what. owner: an account, a user of the operators' side, or the house (0).
CREATE TABLE notice_preferences (
    owner_kind text NOT NULL CHECK (owner_kind IN ('account', 'operator', 'house')),
    owner_id   integer NOT NULL CHECK ((owner_kind = 'house') = (owner_id = 0)),
    language   text NOT NULL CHECK (language IN ('fr', 'en')),
    emails     text[] NOT NULL DEFAULT '{}' CHECK (cardinality(emails) <= 5),
    phones     text[] NOT NULL DEFAULT '{}' CHECK (cardinality(phones) <= 5),
    channels   jsonb NOT NULL DEFAULT '{}',     -- by event, where not its row's: a list of channels
    low_balance_micros bigint CHECK (low_balance_micros >= 0), -- of an account; NULL: never told
    changed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_kind, owner_id)
);

-- One mail or SMS to one address, about one notice, or about several (is_digest).
CREATE TABLE notice_sendings (
    sending_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    channel       text NOT NULL CHECK (channel IN ('email', 'sms')),
    address       text NOT NULL,
    language      text NOT NULL,
    event         text NOT NULL,
    account_id    integer,                      -- whose preferences named the address; NULL: operators, the house
    notice_ids    bigint[] NOT NULL,            -- the first ones; notice_count: of how many
    notice_count  integer NOT NULL DEFAULT 1,
    is_digest     boolean NOT NULL DEFAULT false,
    state         text NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'done', 'dead')),
    why           text NOT NULL DEFAULT '',     -- why the last try failed, or why there is none
    tries         smallint NOT NULL DEFAULT 0,
    doubts        smallint NOT NULL DEFAULT 0,  -- tries of which nobody knows whether they were taken
    is_open       boolean NOT NULL DEFAULT false, -- claimed, and not told what came of it
    edition       smallint NOT NULL DEFAULT 1,  -- one more each time that a person sends it again
    claim         bigint NOT NULL DEFAULT 0,
    made_at_ms    bigint NOT NULL,
    due_at_ms     bigint NOT NULL,
    give_up_at_ms bigint NOT NULL,
    ended_at_ms   bigint NOT NULL DEFAULT 0,
    message_id    bigint                        -- of an SMS
) WITH (fillfactor = 80);
CREATE INDEX notice_sendings_due ON notice_sendings (due_at_ms) WHERE state = 'due';
CREATE INDEX notice_sendings_by_address ON notice_sendings (address, event, made_at_ms);
CREATE INDEX notice_sendings_by_age ON notice_sendings (made_at_ms);

-- What holds now and is told of when it holds long enough: a bind down, a node dead, a balance low. One row while it holds.
CREATE TABLE notice_watches (
    watch       text NOT NULL,
    subject     text NOT NULL,
    since_ms    bigint NOT NULL,
    told_at_ms  bigint,                         -- NULL: not yet
    facts       jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (watch, subject)
);

CREATE FUNCTION tell_notice_desks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('passerelle_notices', '');
    RETURN NULL;
END $$;
CREATE TRIGGER notices_told AFTER INSERT ON notices FOR EACH STATEMENT EXECUTE FUNCTION tell_notice_desks();

GRANT SELECT, DELETE, INSERT (event, account_id, facts, once, told_at_ms), UPDATE (addressed) ON notices TO passerelle_api;
GRANT SELECT, INSERT, UPDATE ON notice_preferences TO passerelle_api;
GRANT SELECT, INSERT, UPDATE, DELETE ON notice_sendings, notice_watches TO passerelle_api;
