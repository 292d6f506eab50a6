-- The number of the last batch that a stream committed. `batch` counts on at every question about a lost COMMIT too
-- (statement claim_position), and the answer to such a question may be lost itself: only this column tells the truth.
ALTER TABLE node_streams ADD COLUMN committed bigint NOT NULL DEFAULT 0;

-- The largest message id a node ever gave, so that a clock that stepped back between two lives gives none twice.
ALTER TABLE node_streams ADD COLUMN last_id bigint NOT NULL DEFAULT 0;
