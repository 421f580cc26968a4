-- Messages are written in the transaction that changes the rows they speak of, and published afterwards by the relay:
-- a command can then neither be lost after its mutation answered, nor be sent for a mutation that was rolled back.
CREATE SCHEMA outbox;

-- Numbers commands per host. Bumping the counter locks the row until commit, so numbers are in order of commit and without holes.
CREATE TABLE outbox.command_numbers (
  server_id uuid PRIMARY KEY,
  last_number bigint NOT NULL CHECK (last_number > 0)
);

CREATE TABLE outbox.messages (
  id uuid PRIMARY KEY,
  -- Order of publication within a lane. A lane's writers are serialised by a row lock of theirs (the counter above, or the changed row).
  position bigint GENERATED ALWAYS AS IDENTITY,
  lane text NOT NULL,
  exchange text NOT NULL,
  routing_key text NOT NULL,
  body jsonb NOT NULL,
  -- Commands persist in the broker and must reach a queue; changes and events go to whoever listens.
  durable boolean NOT NULL,
  -- After this time the message is worthless: a start must not happen when its host returns an hour later.
  expires_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  sent_at timestamptz
);

CREATE INDEX messages_unsent ON outbox.messages (lane, position) WHERE sent_at IS NULL;
CREATE INDEX messages_sent ON outbox.messages (sent_at) WHERE sent_at IS NOT NULL;

CREATE FUNCTION outbox.wake_relay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('manman_outbox', '');
  RETURN NULL;
END $$;

CREATE TRIGGER wake_relay AFTER INSERT ON outbox.messages FOR EACH STATEMENT EXECUTE FUNCTION outbox.wake_relay();
