-- Logins of the doors of other products, and files of numbers to be analysed.

CREATE TABLE door_logins (
    login_id        integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id      integer NOT NULL REFERENCES accounts,
    username        text NOT NULL UNIQUE CHECK (octet_length(username) BETWEEN 1 AND 64),
    password_hash   text NOT NULL,                  -- argon2id
    traffic_class   text NOT NULL DEFAULT 'transactional'
                    CHECK (traffic_class IN ('otp', 'transactional', 'marketing', 'service')),
    default_sender  text NOT NULL DEFAULT '',       -- of requests that name none
    hex_may_be_utf8 boolean NOT NULL DEFAULT false, -- Jasmin's hex-content in coding 8
    allow_cidrs     text[] NOT NULL DEFAULT '{}',   -- empty: from anywhere
    created_at      timestamptz NOT NULL DEFAULT now(),
    revoked_at      timestamptz
);
CREATE INDEX door_logins_by_account ON door_logins (account_id);
GRANT SELECT ON door_logins TO passerelle_api;

CREATE TABLE lookup_jobs (
    job_id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id     integer NOT NULL REFERENCES accounts,
    upload         text NOT NULL UNIQUE,            -- the name of its files in the spool
    file_name      text NOT NULL,                   -- as its customer calls it
    octets         bigint NOT NULL CHECK (octets >= 0),
    column_wish    text NOT NULL DEFAULT '',
    default_region text,
    language       text NOT NULL DEFAULT 'en' CHECK (language IN ('en', 'fr')),
    state          text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'done', 'failed', 'cancelled')),
    attempt        integer NOT NULL DEFAULT 0,      -- whose worker it is; a later one has another
    claimed_until  timestamptz,
    cancel_wanted  boolean NOT NULL DEFAULT false,
    octets_done    bigint NOT NULL DEFAULT 0,
    rows           bigint NOT NULL DEFAULT 0,
    valid          bigint NOT NULL DEFAULT 0,
    invalid        bigint NOT NULL DEFAULT 0,
    duplicates     bigint NOT NULL DEFAULT 0,
    migrated       bigint NOT NULL DEFAULT 0,
    reason         text NOT NULL DEFAULT '',
    reason_given   text NOT NULL DEFAULT '',
    created_at     timestamptz NOT NULL DEFAULT now(),
    started_at     timestamptz,
    finished_at    timestamptz
);
CREATE INDEX lookup_jobs_by_account ON lookup_jobs (account_id, job_id);
CREATE INDEX lookup_jobs_open ON lookup_jobs (job_id) WHERE state IN ('waiting', 'running');
GRANT SELECT, INSERT, UPDATE, DELETE ON lookup_jobs TO passerelle_api;
