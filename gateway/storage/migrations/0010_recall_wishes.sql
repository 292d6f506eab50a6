-- What a node asks of the one that holds a message: to cancel it, or to replace its content. Only the holder may change it.
CREATE TABLE recall_wishes (
    wish_id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    holder_node smallint NOT NULL,
    account_id  integer NOT NULL,
    message_id  bigint NOT NULL,
    changes     bytea,                      -- msgpack of gateway.recall.Changes; NULL: cancel it
    outcome     text,                       -- NULL until the holder has answered
    asked_at    timestamptz NOT NULL DEFAULT now()
);
