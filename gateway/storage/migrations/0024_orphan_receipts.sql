-- Receipts that fitted nobody in all the time they were parked for, for people to look at; forgotten by bury_parked.
CREATE TABLE orphan_receipts (
    parked_id       bigint PRIMARY KEY,
    connector_id    smallint NOT NULL,
    smsc_message_id text NOT NULL,
    source_addr     text NOT NULL,
    destination_addr text NOT NULL,
    message_state   smallint NOT NULL,
    error           text NOT NULL,
    received_at_ms  bigint NOT NULL,
    raw             bytea NOT NULL
);
CREATE INDEX orphan_receipts_by_age ON orphan_receipts (received_at_ms);
