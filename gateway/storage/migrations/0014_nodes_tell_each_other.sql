-- Receipts that reached another node than the one that holds their message: stored before the carrier is answered, folded by
-- the holder, deleted in the batch that stores what came of them.
CREATE TABLE forwarded_receipts (
    forward_id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id      integer NOT NULL,
    message_id      bigint NOT NULL,
    handed_to       integer NOT NULL,           -- as in messages: whose span holds the message
    part_no         smallint NOT NULL,
    connector_id    smallint NOT NULL,
    smsc_message_id text NOT NULL,
    source_addr     text NOT NULL,
    destination_addr text NOT NULL,
    message_state   smallint NOT NULL,
    error           text NOT NULL
);
CREATE FUNCTION tell_nodes_of_forwarded() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('passerelle_forwarded', '');
    RETURN NULL;
END $$;
CREATE TRIGGER receipts_forwarded AFTER INSERT ON forwarded_receipts FOR EACH STATEMENT EXECUTE FUNCTION tell_nodes_of_forwarded();

-- What an ESME is owed belongs to the holder of its message, or to the node it was handed to because the ESME is bound there.
ALTER TABLE waiting_notifications ADD COLUMN handed_to integer NOT NULL DEFAULT 0;
