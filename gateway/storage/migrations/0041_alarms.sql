-- Alarms: what is wrong now, since when, who knows of it; and what was wrong.

CREATE TABLE alarms (
    alarm_id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind            text NOT NULL,              -- admin_api/alarm_rules.py
    subject         text NOT NULL,              -- of a kind, what it is about: a connector's name, a node's, a webhook's number
    severity        text NOT NULL CHECK (severity IN ('warning', 'critical')),
    detail          text NOT NULL DEFAULT '',   -- what was seen last
    raised_at_ms    bigint NOT NULL,
    cleared_at_ms   bigint NOT NULL DEFAULT 0,  -- 0: it stands
    acknowledged_by text NOT NULL DEFAULT '',
    acknowledged_at_ms bigint NOT NULL DEFAULT 0,
    note            text NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX one_alarm_stands ON alarms (kind, subject) WHERE cleared_at_ms = 0;
GRANT SELECT, INSERT (kind, subject, severity, detail, raised_at_ms), UPDATE (detail, cleared_at_ms) ON alarms TO passerelle_api;
GRANT SELECT, UPDATE (acknowledged_by, acknowledged_at_ms, note) ON alarms TO passerelle_operators;
