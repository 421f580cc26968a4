-- What can be run, and where it is placed: games, their configs, deployments, and the ports deployments hold.
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE SCHEMA configs;

CREATE TABLE configs.games (
  id uuid PRIMARY KEY,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  steam_app_id integer CHECK (steam_app_id > 0),
  metadata jsonb,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  updated_by text NOT NULL,
  deleted_at timestamptz
);
CREATE UNIQUE INDEX games_name ON configs.games (lower(name)) WHERE deleted_at IS NULL;

CREATE TABLE configs.game_configs (
  id uuid PRIMARY KEY,
  game_id uuid NOT NULL REFERENCES configs.games,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  image text NOT NULL CHECK (length(image) BETWEEN 1 AND 500),
  pull_policy text NOT NULL CHECK (pull_policy IN ('IF_MISSING', 'ALWAYS')),
  entrypoint text[],
  command text[],
  args_template text,
  env_template jsonb NOT NULL CHECK (jsonb_typeof(env_template) = 'object'),
  container_user text,
  working_dir text,
  tty boolean NOT NULL,
  capabilities text[] NOT NULL,
  read_only_rootfs boolean NOT NULL,
  volumes jsonb NOT NULL,
  ports jsonb NOT NULL,
  volume_path text NOT NULL CHECK (volume_path LIKE '/%'),
  stop jsonb NOT NULL,
  resources jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  updated_by text NOT NULL,
  deleted_at timestamptz,
  CHECK (command IS NULL OR args_template IS NULL)
);
CREATE UNIQUE INDEX game_configs_name ON configs.game_configs (game_id, lower(name)) WHERE deleted_at IS NULL;

CREATE TABLE configs.server_game_configs (
  id uuid PRIMARY KEY,
  server_id uuid NOT NULL REFERENCES servers.servers,
  game_config_id uuid NOT NULL REFERENCES configs.game_configs,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  updated_by text NOT NULL,
  deleted_at timestamptz
);
CREATE UNIQUE INDEX server_game_configs_name ON configs.server_game_configs (server_id, lower(name)) WHERE deleted_at IS NULL;
CREATE INDEX server_game_configs_of_config ON configs.server_game_configs (game_config_id, id);

-- Two concurrent deploys can never both win a port: the database refuses the second. 0.0.0.0 is kept as 0.0.0.0/0, so it
-- overlaps every address; TCP and UDP are apart.
CREATE TABLE configs.server_ports (
  server_id uuid NOT NULL REFERENCES servers.servers,
  address inet NOT NULL,
  port integer NOT NULL CHECK (port BETWEEN 1 AND 65535),
  protocol text NOT NULL CHECK (protocol IN ('TCP', 'UDP')),
  server_game_config_id uuid NOT NULL REFERENCES configs.server_game_configs,
  name text NOT NULL,
  container_port integer NOT NULL CHECK (container_port BETWEEN 1 AND 65535),
  allocated_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (server_game_config_id, name),
  CONSTRAINT one_owner_per_port EXCLUDE USING gist (server_id WITH =, port WITH =, protocol WITH =, address inet_ops WITH &&)
);
CREATE INDEX server_ports_of_server ON configs.server_ports (server_id, port);
