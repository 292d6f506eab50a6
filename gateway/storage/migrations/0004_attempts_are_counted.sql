-- How often a message was written to a carrier with its outcome stored, and which writing a journal speaks of: a message that
-- was set back stays named by a journal while its neighbours are open, and must not be taken for one in doubt after a crash.
ALTER TABLE messages ADD COLUMN sends smallint NOT NULL DEFAULT 0;
ALTER TABLE open_attempts ADD COLUMN sends smallint[] NOT NULL DEFAULT '{}';

-- SMPP v3.4 5.2.8: an address has at most 20 octets; what is longer could never be answered over SMPP.
ALTER TABLE sender_names ADD CONSTRAINT name_fits_an_address CHECK (octet_length(name) <= 20);
