-- Any game: what operators may set, and at which of three levels they have; files, install step, actions; and who changed what.
ALTER TABLE configs.games
  ADD COLUMN actions jsonb NOT NULL DEFAULT '[]';

ALTER TABLE configs.game_configs
  ADD COLUMN parameters jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN files jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN install jsonb,
  ADD COLUMN actions jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN host_network boolean NOT NULL DEFAULT false,
  -- Grows with each change, so that a session can tell whether it runs with the newest.
  ADD COLUMN revision bigint NOT NULL DEFAULT 1;

ALTER TABLE configs.server_game_configs
  ADD COLUMN parameters jsonb NOT NULL DEFAULT '{}',
  -- Values of SECRET parameters by name: which key encrypted them, and base64 of the ciphertext.
  ADD COLUMN secrets jsonb NOT NULL DEFAULT '{}',
  -- Limits of its own; null, and what is null in it, is as the config says.
  ADD COLUMN resources jsonb,
  ADD COLUMN actions jsonb NOT NULL DEFAULT '[]',
  -- Other deployments of its server that its game reaches by name.
  ADD COLUMN links jsonb NOT NULL DEFAULT '[]',
  ADD COLUMN revision bigint NOT NULL DEFAULT 1;

ALTER TABLE sessions.sessions
  -- An INSTALL is an execution like any other, of the config's install step, with log, end and reason.
  ADD COLUMN kind text NOT NULL DEFAULT 'GAME' CHECK (kind IN ('GAME', 'INSTALL')),
  -- What each parameter had in the end, and from where.
  ADD COLUMN parameters jsonb NOT NULL DEFAULT '[]',
  -- What was given for this session alone: a restart takes it over.
  ADD COLUMN given_parameters jsonb NOT NULL DEFAULT '{}',
  ADD COLUMN given_secrets jsonb NOT NULL DEFAULT '{}',
  -- Of the config and the deployment it was begun with; null for those begun before these were counted.
  ADD COLUMN config_revision bigint,
  ADD COLUMN deployment_revision bigint;
CREATE INDEX sessions_installs ON sessions.sessions (server_game_config_id, id) WHERE kind = 'INSTALL';

ALTER TABLE operations.deployment_operations DROP CONSTRAINT deployment_operations_kind_check;
ALTER TABLE operations.deployment_operations ADD CONSTRAINT deployment_operations_kind_check
  CHECK (kind IN ('SESSION', 'INSTALL', 'DELETE'));

-- What was changed by whom. Secrets are not in it.
CREATE TABLE configs.changes (
  id uuid PRIMARY KEY,
  subject_kind text NOT NULL CHECK (subject_kind IN ('GAME', 'GAME_CONFIG', 'DEPLOYMENT')),
  subject_id uuid NOT NULL,
  action text NOT NULL CHECK (action IN ('CREATED', 'UPDATED', 'DELETED')),
  actor text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  -- The fields that differ, as they were and as they are.
  before jsonb NOT NULL,
  after jsonb NOT NULL
);
CREATE INDEX changes_of_subject ON configs.changes (subject_id, id);

-- What was done through actions, and by whom.
CREATE TABLE sessions.action_runs (
  id uuid PRIMARY KEY,
  session_id uuid NOT NULL REFERENCES sessions.sessions,
  action_id uuid NOT NULL,
  -- As it was called when it was run.
  name text NOT NULL,
  values jsonb NOT NULL,
  -- What was typed.
  line text NOT NULL,
  actor text NOT NULL,
  at timestamptz NOT NULL DEFAULT now(),
  -- When the host had written it to the console; null while nobody knows, or when it did not.
  written_at timestamptz,
  error text
);
CREATE INDEX action_runs_of_session ON sessions.action_runs (session_id, id);
