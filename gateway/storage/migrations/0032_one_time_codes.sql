-- One-time codes: the code itself is nowhere but in the message that carries it; here stands its keyed hash.

CREATE TABLE one_time_codes (
    otp_id        bigint PRIMARY KEY,               -- the id of the first message that carried it
    account_id    integer NOT NULL REFERENCES accounts,
    number        text NOT NULL,                    -- E.164 digits
    sender        text NOT NULL,
    template      text NOT NULL,                    -- with {code} in the code's place
    code_length   smallint NOT NULL CHECK (code_length BETWEEN 4 AND 10),
    code_hash     bytea NOT NULL,
    message_id    bigint NOT NULL,                  -- the last message
    state         text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'approved')),
    attempts      smallint NOT NULL DEFAULT 0,      -- wrong and right ones, counted before they are compared
    most_attempts smallint NOT NULL CHECK (most_attempts BETWEEN 1 AND 10),
    validity_s    integer NOT NULL CHECK (validity_s BETWEEN 60 AND 3600),
    expires_at_ms bigint NOT NULL,
    CONSTRAINT no_more_than_may CHECK (attempts <= most_attempts)
);
CREATE INDEX one_time_codes_by_age ON one_time_codes (expires_at_ms);

-- What was sent lately, to keep within limits for a number, a block of numbers, an account. block: the number without its
-- last four digits.
CREATE TABLE one_time_sends (
    message_id bigint PRIMARY KEY,
    account_id integer NOT NULL,
    number     text NOT NULL,
    block      text NOT NULL,
    at_ms      bigint NOT NULL
);
CREATE INDEX one_time_sends_by_number ON one_time_sends (account_id, number, at_ms);
CREATE INDEX one_time_sends_by_block ON one_time_sends (account_id, block, at_ms);
CREATE INDEX one_time_sends_by_account ON one_time_sends (account_id, at_ms);
CREATE INDEX one_time_sends_by_age ON one_time_sends (at_ms);

GRANT SELECT, INSERT, DELETE ON one_time_codes, one_time_sends TO passerelle_api;
GRANT UPDATE (code_hash, message_id, state, attempts, expires_at_ms) ON one_time_codes TO passerelle_api;
