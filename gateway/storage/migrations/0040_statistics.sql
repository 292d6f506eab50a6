-- Statistics: what became of messages by the hour in which they were accepted, counted from their rows and counted again while
-- any of them is open.

CREATE TABLE statistics_hours (
    hour_ms       bigint NOT NULL,              -- Unix milliseconds of its beginning
    account_id    integer NOT NULL,
    connector_id  smallint NOT NULL,
    traffic_class text NOT NULL,
    country       text NOT NULL,                -- ISO 3166; '': none known
    operator      text NOT NULL,                -- by number range; '': none known
    accepted      bigint NOT NULL,
    submitted     bigint NOT NULL,              -- the carrier had all parts, whatever came then
    delivered     bigint NOT NULL,
    undeliverable bigint NOT NULL,
    rejected      bigint NOT NULL,
    expired       bigint NOT NULL,
    deleted       bigint NOT NULL,
    unknown       bigint NOT NULL,
    parts         bigint NOT NULL,
    charged_micros bigint NOT NULL,             -- of holds that were captured
    held_micros   bigint NOT NULL,
    submit_counts bigint[] NOT NULL,            -- from acceptance to submission, by width: gateway/storage/statistics.py
    deliver_counts bigint[] NOT NULL,           -- from acceptance to delivery
    PRIMARY KEY (hour_ms, account_id, connector_id, traffic_class, country, operator)
);
CREATE INDEX statistics_hours_by_account ON statistics_hours (account_id, hour_ms);

-- Which hours were counted, when, and how many of their messages were open then. One without any, counted after it ended, is settled:
-- no message leaves a final state.
CREATE TABLE statistics_marks (
    hour_ms       bigint PRIMARY KEY,
    counted_at_ms bigint NOT NULL,
    open          bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE, DELETE ON statistics_hours, statistics_marks TO passerelle_api;
GRANT SELECT ON statistics_hours, statistics_marks TO passerelle_operators;
