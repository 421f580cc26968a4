-- Each host has a user of its own at the broker, so that a stolen one speaks for nobody else and can be taken away alone.
ALTER TABLE servers.servers
  -- SHARED: its host has the user that all hosts share. OWN: what others say in its name is not believed.
  ADD COLUMN broker_access text NOT NULL DEFAULT 'SHARED' CHECK (broker_access IN ('SHARED', 'OWN')),
  -- Of the last user that was thought of; none is used twice.
  ADD COLUMN broker_generation integer NOT NULL DEFAULT 0,
  ADD COLUMN access_revoked_at timestamptz;

-- A row stands for a user of the broker from before it is made until after it is gone, so that none is forgotten.
CREATE TABLE servers.broker_users (
  server_id uuid NOT NULL REFERENCES servers.servers,
  generation integer NOT NULL CHECK (generation > 0),
  -- OFFERED: its host may have it, and has not spoken with it yet.
  state text NOT NULL CHECK (state IN ('OFFERED', 'CURRENT', 'REVOKED')),
  -- As the broker keeps it, to make the user again on a broker that has lost it.
  password_hash text NOT NULL,
  -- The credentials in a box that the host alone can open; null where enrolment has handed them out.
  sealed text,
  made_at timestamptz,
  -- When it is to go; a host that is to leave hears of that first.
  revoked_at timestamptz CHECK ((state = 'REVOKED') = (revoked_at IS NOT NULL)),
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  PRIMARY KEY (server_id, generation)
);

CREATE UNIQUE INDEX one_current_broker_user ON servers.broker_users (server_id) WHERE state = 'CURRENT';
CREATE UNIQUE INDEX one_offered_broker_user ON servers.broker_users (server_id) WHERE state = 'OFFERED' AND sealed IS NOT NULL;
CREATE INDEX broker_users_to_do ON servers.broker_users (created_at) WHERE state <> 'CURRENT';
