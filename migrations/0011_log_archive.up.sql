-- Where the lines of a session's log are once they have left its host: one row an object, and of each session what was kept
-- so far. The database refuses lines that would stand in two objects, and an archive that shrinks at its end.
CREATE TABLE sessions.logs (
  session_id uuid PRIMARY KEY REFERENCES sessions.sessions,
  first_seq bigint NOT NULL DEFAULT 1 CHECK (first_seq > 0),
  last_seq bigint NOT NULL DEFAULT 0,
  bytes bigint NOT NULL DEFAULT 0 CHECK (bytes >= 0),
  stored_bytes bigint NOT NULL DEFAULT 0 CHECK (stored_bytes >= 0),
  CHECK (last_seq >= first_seq - 1)
);

CREATE TABLE sessions.log_objects (
  session_id uuid NOT NULL REFERENCES sessions.logs ON DELETE CASCADE,
  first_seq bigint NOT NULL CHECK (first_seq > 0),
  last_seq bigint NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  bytes bigint NOT NULL CHECK (bytes > 0),
  stored_bytes bigint NOT NULL CHECK (stored_bytes > 0),
  key text NOT NULL UNIQUE,
  archived_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (session_id, first_seq),
  CHECK (last_seq >= first_seq),
  CHECK (last_at >= first_at),
  CONSTRAINT one_object_per_line EXCLUDE USING gist (session_id WITH =, int8range(first_seq, last_seq, '[]') WITH &&)
);
CREATE INDEX log_objects_by_age ON sessions.log_objects (archived_at);

CREATE FUNCTION sessions.logs_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.last_seq < OLD.last_seq OR NEW.first_seq < OLD.first_seq THEN
    RAISE EXCEPTION 'the archive of a log only grows at its end and is only cut at its begin (session %)', OLD.session_id
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER logs_only_grow BEFORE UPDATE ON sessions.logs FOR EACH ROW EXECUTE FUNCTION sessions.logs_only_grow();
