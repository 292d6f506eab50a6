-- A receipt that fitted nobody, and that a person gave to a message: its holder asks for no other evidence.
ALTER TABLE forwarded_receipts ADD COLUMN adopted boolean NOT NULL DEFAULT false;
