-- A block that was taken back stays as history, with the consent of the person it spoke of.
ALTER TABLE blocks ADD COLUMN removed_at timestamptz, ADD COLUMN consent text;
