-- What operators changed of a login, one row a value; passwords are told to have changed, never what they were.
CREATE TABLE esme_history (
    esme_id    integer NOT NULL REFERENCES esmes,
    changed_at timestamptz NOT NULL DEFAULT now(),
    field      text NOT NULL,
    former     text,
    became     text
);
CREATE INDEX esme_history_by_esme ON esme_history (esme_id, changed_at);
CREATE FUNCTION remember_login_change() RETURNS trigger LANGUAGE plpgsql
    SECURITY DEFINER SET search_path = public AS $$
BEGIN
    INSERT INTO esme_history (esme_id, field, former, became)
    SELECT NEW.esme_id, o.key, CASE WHEN o.key LIKE '%password_hash' THEN '' ELSE o.value END,
           CASE WHEN o.key LIKE '%password_hash' THEN '' ELSE n.value END
    FROM jsonb_each_text(to_jsonb(OLD)) o JOIN jsonb_each_text(to_jsonb(NEW)) n USING (key)
    WHERE o.value IS DISTINCT FROM n.value;
    RETURN NULL;
END $$;
CREATE TRIGGER login_changed AFTER UPDATE ON esmes FOR EACH ROW EXECUTE FUNCTION remember_login_change();
