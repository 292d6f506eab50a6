-- When a node ended in order: who is told of dead nodes must not be told of stopped ones.
ALTER TABLE nodes ADD COLUMN left_at timestamptz;
