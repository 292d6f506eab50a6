-- Queues in lanes: otp 0, transactional and service 1, marketing 2, as gateway/lanes.py names them.

CREATE FUNCTION lane_of(traffic_class text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE traffic_class WHEN 'otp' THEN 0 WHEN 'marketing' THEN 2 ELSE 1 END;

-- What a connector sends next, of each lane and account: a campaign's rows are not read over to find one OTP's.
CREATE INDEX messages_by_queue ON messages (connector_id, lane_of(traffic_class), account_id, message_id);
DROP INDEX messages_by_connector;

-- A mark a lane: the queue of a campaign that lasts for hours keeps no other lane's mark back.
ALTER TABLE connector_marks ADD COLUMN lane smallint NOT NULL DEFAULT 0;
ALTER TABLE connector_marks DROP CONSTRAINT connector_marks_pkey, ADD PRIMARY KEY (node_id, connector_id, lane);
ALTER TABLE connector_marks ALTER COLUMN lane DROP DEFAULT;
INSERT INTO connector_marks (node_id, connector_id, lane, queued_from_id)
SELECT node_id, connector_id, other.lane, queued_from_id FROM connector_marks, (VALUES (1), (2)) AS other (lane);
