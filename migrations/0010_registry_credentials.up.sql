-- Private registries need a login. The password is encrypted with a key that the database does not have; which one, by its
-- id, so that keys can be changed.
CREATE TABLE configs.registry_credentials (
  id uuid PRIMARY KEY,
  -- As images name their registry, in lower case; docker.io for those that name none.
  host text NOT NULL CHECK (length(host) BETWEEN 1 AND 260 AND host = lower(host)),
  username text NOT NULL CHECK (length(username) BETWEEN 1 AND 256),
  key_id text NOT NULL,
  encrypted_password bytea NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  updated_by text NOT NULL
);
CREATE UNIQUE INDEX registry_credentials_host ON configs.registry_credentials (host);

-- For the pull of its image: sealed to its host's key, so that nobody else can open it.
ALTER TABLE sessions.sessions ADD COLUMN registry_auth jsonb;
