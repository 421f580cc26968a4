-- What it takes to tell the truth about sessions over restarts: which session continues which, what waits for what, when a
-- game was ready, and its last lines before a crash. Policies stand where they are decided: on the deployment.
ALTER TABLE sessions.sessions
  ADD COLUMN ready_at timestamptz,
  ADD COLUMN last_lines text[],
  -- The session this one continues: asked for by restartSession, or begun by the host's restart policy.
  ADD COLUMN restart_of uuid REFERENCES sessions.sessions,
  -- Restarts in between that happened while nobody could be told.
  ADD COLUMN collapsed_restarts integer NOT NULL DEFAULT 0 CHECK (collapsed_restarts >= 0),
  -- Begins when that one has ended; null once it has begun, or when it waits for nothing.
  ADD COLUMN waits_for uuid REFERENCES sessions.sessions,
  ADD COLUMN lost_at timestamptz,
  ALTER COLUMN start_deadline DROP NOT NULL,
  ADD CONSTRAINT only_pending_waits CHECK (waits_for IS NULL OR status IN ('PENDING', 'STOPPED')),
  ADD CONSTRAINT deadline_unless_waiting CHECK (start_deadline IS NOT NULL OR waits_for IS NOT NULL);

DROP INDEX sessions.one_live_session_per_deployment;
CREATE UNIQUE INDEX one_live_session_per_deployment ON sessions.sessions (server_game_config_id)
  WHERE status NOT IN ('STOPPED', 'CRASHED', 'FAILED') AND waits_for IS NULL;
CREATE UNIQUE INDEX one_waiting_session_per_deployment ON sessions.sessions (server_game_config_id)
  WHERE status = 'PENDING' AND waits_for IS NOT NULL;
CREATE INDEX sessions_restart_of ON sessions.sessions (restart_of) WHERE restart_of IS NOT NULL;
CREATE INDEX sessions_waits_for ON sessions.sessions (waits_for) WHERE waits_for IS NOT NULL;

ALTER TABLE configs.server_game_configs
  ADD COLUMN restart_policy jsonb NOT NULL DEFAULT '{"mode": "ON_FAILURE", "maxRetries": 5, "windowSeconds": 600}',
  -- After a reboot of its machine, deployments start again in this order, lowest first.
  ADD COLUMN start_priority integer NOT NULL DEFAULT 100;

ALTER TABLE configs.game_configs
  ADD COLUMN ready_pattern text CHECK (length(ready_pattern) BETWEEN 1 AND 1000),
  ADD COLUMN ready_timeout_seconds integer CHECK (ready_timeout_seconds > 0),
  ADD COLUMN watchdog jsonb;
