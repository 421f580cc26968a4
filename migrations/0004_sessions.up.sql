-- Executions of deployments. The rules that must hold whatever fails stand here, not in code.
CREATE SCHEMA sessions;

CREATE TABLE sessions.sessions (
  id uuid PRIMARY KEY,
  server_game_config_id uuid NOT NULL REFERENCES configs.server_game_configs,
  server_id uuid NOT NULL REFERENCES servers.servers,
  status text NOT NULL DEFAULT 'PENDING'
    CHECK (status IN ('PENDING', 'STARTING', 'RUNNING', 'STOPPING', 'STOPPED', 'CRASHED', 'FAILED', 'LOST')),
  -- Of the last report applied: reports that are not newer change nothing.
  revision bigint NOT NULL DEFAULT 0,
  idempotency_key text,
  -- What the host was told to run, templates rendered.
  spec jsonb NOT NULL,
  image_digest text,
  -- A session its host has not begun by then is FAILED, and must not begin later.
  start_deadline timestamptz NOT NULL,
  stop_requested_at timestamptz,
  stop_requested_by text,
  started_at timestamptz,
  ended_at timestamptz,
  exit_code integer,
  oom_killed boolean,
  end_reason text,
  end_message text,
  log_last_seq bigint,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  CONSTRAINT ended_when_terminal CHECK ((status IN ('STOPPED', 'CRASHED', 'FAILED')) = (ended_at IS NOT NULL))
);

CREATE UNIQUE INDEX one_live_session_per_deployment ON sessions.sessions (server_game_config_id)
  WHERE status NOT IN ('STOPPED', 'CRASHED', 'FAILED');
CREATE UNIQUE INDEX sessions_idempotency ON sessions.sessions (server_game_config_id, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX sessions_of_deployment ON sessions.sessions (server_game_config_id, id);
CREATE INDEX sessions_of_server ON sessions.sessions (server_id, id);
CREATE INDEX sessions_live ON sessions.sessions (server_id, id) WHERE status NOT IN ('STOPPED', 'CRASHED', 'FAILED');
CREATE INDEX sessions_waiting_for_start ON sessions.sessions (start_deadline) WHERE status = 'PENDING';

-- History is never rewritten: a session that has ended stays as it ended, and revisions only grow.
CREATE FUNCTION sessions.guard_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status IN ('STOPPED', 'CRASHED', 'FAILED') AND NEW.status <> OLD.status THEN
    RAISE EXCEPTION 'session % has ended as % and can not become %', OLD.id, OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.revision < OLD.revision THEN
    RAISE EXCEPTION 'session %: revision % after %', OLD.id, NEW.revision, OLD.revision USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_history BEFORE UPDATE ON sessions.sessions FOR EACH ROW EXECUTE FUNCTION sessions.guard_history();

-- One operation at a time per deployment, across subgraphs: "refused while …" is this constraint, not a check somewhere.
CREATE SCHEMA operations;
CREATE TABLE operations.deployment_operations (
  id uuid PRIMARY KEY,
  server_game_config_id uuid NOT NULL REFERENCES configs.server_game_configs,
  kind text NOT NULL CHECK (kind IN ('SESSION', 'DELETE')),
  -- What holds the deployment: a session's id for SESSION.
  subject_id uuid NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT now(),
  closed_at timestamptz
);
CREATE UNIQUE INDEX one_open_operation_per_deployment ON operations.deployment_operations (server_game_config_id) WHERE closed_at IS NULL;
CREATE UNIQUE INDEX operations_of_subject ON operations.deployment_operations (subject_id);
