DROP TRIGGER note_command ON outbox.messages;
DROP FUNCTION outbox.note_command();
ALTER TABLE sessions.sessions DROP COLUMN last_command;
