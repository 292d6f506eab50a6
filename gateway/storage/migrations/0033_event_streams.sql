-- Event streams: an account that listens has more of its events kept, while it does and three days longer.

-- Until when what was accepted and submitted is kept beside what always is. The book of nodes follows it, acceptance reads it.
ALTER TABLE accounts ADD COLUMN streamed_until timestamptz;
CREATE TRIGGER streamed_until_changed AFTER UPDATE OF streamed_until ON accounts
    FOR EACH STATEMENT EXECUTE FUNCTION tell_nodes_that_facts_changed();
GRANT UPDATE (streamed_until) ON accounts TO passerelle_api;
GRANT INSERT (account_id, message_id, event, at_ms) ON account_events TO passerelle_api;
