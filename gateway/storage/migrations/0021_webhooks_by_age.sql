-- What is old is found by its time, however much there is beside it.
DROP INDEX account_events_by_age;
CREATE INDEX account_events_by_age ON account_events (at_ms);
CREATE INDEX webhook_deliveries_by_age ON webhook_deliveries (at_ms);
