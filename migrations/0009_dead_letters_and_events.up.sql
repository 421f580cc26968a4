-- Messages that nobody could apply are kept where they can be listed, read and sent again; and public events are told once
-- per transition, whoever writes the row: each row knows what was told of it last.
CREATE SCHEMA dead_letters;

CREATE TABLE dead_letters.letters (
  id uuid PRIMARY KEY,
  -- Of queue and message: the same message, dead again, is the same letter.
  fingerprint bytea NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
  -- When it was given up.
  died_at timestamptz NOT NULL,
  queue text NOT NULL,
  exchange text NOT NULL,
  routing_key text NOT NULL,
  message_id text,
  -- As the message says itself; null when it can't be read.
  kind text,
  reason text NOT NULL,
  attempts integer NOT NULL CHECK (attempts > 0),
  content bytea NOT NULL
);
CREATE INDEX letters_died ON dead_letters.letters (died_at, id);

-- What was removed because there were too many, or they were too old: nobody looked at those.
CREATE TABLE dead_letters.dropped (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  letters bigint NOT NULL,
  last_at timestamptz NOT NULL
);

ALTER TABLE sessions.sessions
  ADD COLUMN told_status text NOT NULL DEFAULT 'PENDING',
  ADD COLUMN told_ready boolean NOT NULL DEFAULT false;
UPDATE sessions.sessions SET told_status = status, told_ready = ready_at IS NOT NULL;

ALTER TABLE servers.servers
  ADD COLUMN told_status text NOT NULL DEFAULT 'OFFLINE',
  ADD COLUMN told_disk_low boolean NOT NULL DEFAULT false;
UPDATE servers.servers SET told_status = status, told_disk_low = conditions @> '[{"kind": "DISK_LOW"}]';
