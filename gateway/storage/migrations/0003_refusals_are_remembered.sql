-- The connectors that refused a message: between two tries it is only a row, and must not come back to one of them.
ALTER TABLE messages ADD COLUMN refused_by smallint[] NOT NULL DEFAULT '{}';
