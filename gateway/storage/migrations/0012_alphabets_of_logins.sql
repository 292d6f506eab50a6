-- What a login means by data_coding 0, in what it submits and in what it is delivered.
ALTER TABLE esmes ADD COLUMN default_alphabet text NOT NULL DEFAULT 'gsm7'
    CHECK (default_alphabet IN ('gsm7', 'gsm7_packed', 'latin1', 'ascii', 'cp1252', 'utf8'));
