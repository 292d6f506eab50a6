-- Whether a way out carries a sender name as it is; one that does not (a SIM sends from its own number) is left out for
-- messages that must not be replied to.
ALTER TABLE connectors ADD COLUMN alphanumeric_senders boolean NOT NULL DEFAULT true;
