-- A host's full report says which commands it has applied. Only a session whose last command is among them may be judged by
-- what the report lacks: the others the host could not know. So each session carries the number of its last command.
ALTER TABLE sessions.sessions
  -- 0 for one that its host has begun by itself and nobody has said anything about yet.
  ADD COLUMN last_command bigint NOT NULL DEFAULT 0;

-- Here and not where commands are added, so that none can be forgotten. Whoever adds one holds the session's row already.
CREATE FUNCTION outbox.note_command() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE sessions.sessions SET last_command = (NEW.body ->> 'number')::bigint
  WHERE id = (NEW.body ->> 'sessionId')::uuid;
  RETURN NULL;
END $$;
CREATE TRIGGER note_command AFTER INSERT ON outbox.messages FOR EACH ROW
  WHEN (NEW.body ? 'number' AND NEW.body ? 'sessionId') EXECUTE FUNCTION outbox.note_command();

UPDATE sessions.sessions SET last_command = sent.number
FROM (
  SELECT (body ->> 'sessionId')::uuid AS id, max((body ->> 'number')::bigint) AS number
  FROM outbox.messages WHERE body ? 'number' AND body ? 'sessionId' GROUP BY 1
) sent
WHERE sessions.id = sent.id;
