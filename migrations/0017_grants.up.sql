-- What single users may do with single servers, games and deployments, beside what their role gives for everything; and what
-- a token may be used for at most.

-- MEMBER: may come in, and sees what grants show.
ALTER TABLE accounts.users DROP CONSTRAINT users_role_check;
ALTER TABLE accounts.users ADD CONSTRAINT users_role_check CHECK (role IN ('MEMBER', 'VIEWER', 'OPERATOR', 'ADMIN'));
ALTER TABLE accounts.tokens DROP CONSTRAINT tokens_role_check;
ALTER TABLE accounts.tokens ADD CONSTRAINT tokens_role_check CHECK (role IN ('MEMBER', 'VIEWER', 'OPERATOR', 'ADMIN'));

-- Null is everything.
ALTER TABLE accounts.tokens ADD COLUMN scopes text[] CONSTRAINT known_scopes CHECK ('VIEW' = ANY (scopes)
  AND scopes <@ ARRAY['VIEW', 'CONTROL', 'CONSOLE', 'FILES', 'BACKUPS', 'CONFIGURE', 'ADMINISTER']);

CREATE TABLE accounts.grants (
  id uuid PRIMARY KEY,
  user_id uuid NOT NULL REFERENCES accounts.users,
  -- For the server and every deployment on it.
  server_id uuid REFERENCES servers.servers,
  -- For the game, its configs and every deployment of it.
  game_id uuid REFERENCES configs.games,
  deployment_id uuid REFERENCES configs.server_game_configs,
  -- Who may do anything may look.
  permissions text[] NOT NULL CONSTRAINT known_permissions CHECK ('VIEW' = ANY (permissions)
    AND permissions <@ ARRAY['VIEW', 'CONTROL', 'CONSOLE', 'FILES', 'BACKUPS', 'CONFIGURE']),
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  CONSTRAINT on_one_object CHECK (num_nonnulls(server_id, game_id, deployment_id) = 1),
  UNIQUE (user_id, server_id),
  UNIQUE (user_id, game_id),
  UNIQUE (user_id, deployment_id)
);

-- Each deployment that a grant holds for, once for each such grant; also deleted ones, whose history stays to be seen.
CREATE VIEW accounts.granted_deployments AS
  SELECT user_id, deployment_id, permissions FROM accounts.grants WHERE deployment_id IS NOT NULL
  UNION ALL
  SELECT g.user_id, d.id, g.permissions
  FROM accounts.grants g JOIN configs.server_game_configs d ON d.server_id = g.server_id
  UNION ALL
  SELECT g.user_id, d.id, g.permissions
  FROM accounts.grants g
    JOIN configs.game_configs c ON c.game_id = g.game_id
    JOIN configs.server_game_configs d ON d.game_config_id = c.id;
