-- What the HTTP API's role may do with webhooks and events; an account with an API key has its events kept for it to read.

GRANT SELECT ON webhook_endpoints, webhook_secrets, webhook_deliveries, webhook_tries, account_events, inbound_messages TO passerelle_api;
GRANT INSERT (account_id, url, events, format, method), UPDATE (url, events, state, why) ON webhook_endpoints TO passerelle_api;
GRANT INSERT ON webhook_endpoint_history TO passerelle_api; -- by the trigger on endpoints
GRANT INSERT, UPDATE (expires_at_ms) ON webhook_secrets TO passerelle_api;
GRANT INSERT, UPDATE, DELETE ON webhook_deliveries TO passerelle_api;
GRANT INSERT, DELETE ON webhook_tries TO passerelle_api;
GRANT DELETE ON account_events TO passerelle_api;

CREATE FUNCTION keep_events_of_key_owner() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE accounts SET keeps_events = true WHERE account_id = NEW.account_id AND NOT keeps_events;
    RETURN NULL;
END $$;
CREATE TRIGGER keeps_events AFTER INSERT ON api_keys FOR EACH ROW EXECUTE FUNCTION keep_events_of_key_owner();
UPDATE accounts SET keeps_events = true WHERE account_id IN (SELECT account_id FROM api_keys);
