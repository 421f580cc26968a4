-- What is done by the clock, and deployments that move to another server.
CREATE TABLE backups.schedules (
  id uuid PRIMARY KEY,
  server_game_config_id uuid NOT NULL REFERENCES configs.server_game_configs,
  name text NOT NULL,
  -- Five fields, read in `time_zone`.
  cron text NOT NULL,
  time_zone text NOT NULL,
  enabled boolean NOT NULL,
  -- What becomes of a due time that nobody could run.
  missed text NOT NULL CHECK (missed IN ('SKIP', 'CATCH_UP')),
  -- As lib/schedules/steps.ts has them.
  steps jsonb NOT NULL,
  -- Null while it is disabled, and for one that is never due again.
  next_due_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  updated_by text NOT NULL,
  deleted_at timestamptz,
  CONSTRAINT only_present_schedules_are_due CHECK (next_due_at IS NULL OR (enabled AND deleted_at IS NULL))
);
CREATE INDEX schedules_of_deployment ON backups.schedules (server_game_config_id, id);
CREATE INDEX schedules_due ON backups.schedules (next_due_at) WHERE next_due_at IS NOT NULL;

CREATE TABLE backups.schedule_runs (
  id uuid PRIMARY KEY,
  schedule_id uuid NOT NULL REFERENCES backups.schedules,
  due_at timestamptz NOT NULL,
  -- Begun by a person, at that moment.
  manual boolean NOT NULL DEFAULT false,
  started_by text NOT NULL,
  status text NOT NULL CHECK (status IN ('RUNNING', 'COMPLETED', 'FAILED', 'SKIPPED', 'MISSED')),
  -- The schedule's steps as they were, each with what became of it.
  steps jsonb NOT NULL,
  error text,
  started_at timestamptz,
  ended_at timestamptz,
  -- While it runs: when it is looked at again, and who looks at it until when.
  look_at timestamptz NOT NULL DEFAULT now(),
  leased_by uuid,
  leased_until timestamptz,
  CONSTRAINT runs_end CHECK ((status = 'RUNNING') = (ended_at IS NULL))
);
-- However many processors there are.
CREATE UNIQUE INDEX one_run_per_due_time ON backups.schedule_runs (schedule_id, due_at) WHERE NOT manual;
CREATE UNIQUE INDEX one_run_at_a_time ON backups.schedule_runs (schedule_id) WHERE status = 'RUNNING';
CREATE INDEX schedule_runs_of_schedule ON backups.schedule_runs (schedule_id, id);
CREATE INDEX schedule_runs_to_look_at ON backups.schedule_runs (look_at) WHERE status = 'RUNNING';

CREATE TABLE backups.transfers (
  id uuid PRIMARY KEY,
  server_game_config_id uuid NOT NULL REFERENCES configs.server_game_configs,
  from_server_id uuid NOT NULL REFERENCES servers.servers,
  to_server_id uuid NOT NULL REFERENCES servers.servers,
  status text NOT NULL DEFAULT 'RUNNING' CHECK (status IN ('RUNNING', 'COMPLETED', 'FAILED')),
  -- As lib/domain/transfers.ts has them.
  step text NOT NULL,
  step_at timestamptz NOT NULL DEFAULT now(),
  -- The session that is stopped for it, and whether it is to go on afterwards.
  session_id uuid REFERENCES sessions.sessions,
  restarts boolean NOT NULL DEFAULT false,
  -- Minted before the backup and the restore begin; null where there is nothing to move yet.
  backup_id uuid,
  restore_id uuid,
  -- The session that was begun on the target.
  started_session_id uuid REFERENCES sessions.sessions,
  -- The session that was killed to get back.
  killed_session_id uuid REFERENCES sessions.sessions,
  error text,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  ended_at timestamptz,
  look_at timestamptz NOT NULL DEFAULT now(),
  leased_by uuid,
  leased_until timestamptz,
  CONSTRAINT moves_lead_elsewhere CHECK (from_server_id <> to_server_id),
  CONSTRAINT transfers_end CHECK ((status = 'RUNNING') = (ended_at IS NULL))
);
CREATE UNIQUE INDEX one_open_transfer_per_deployment ON backups.transfers (server_game_config_id) WHERE status = 'RUNNING';
CREATE INDEX transfers_of_deployment ON backups.transfers (server_game_config_id, id);
CREATE INDEX transfers_to_look_at ON backups.transfers (look_at) WHERE status = 'RUNNING';

-- A deployment that moves holds ports on both servers: those of the server it is not on are `outgoing`, and kept until the
-- move is over.
ALTER TABLE configs.server_ports ADD COLUMN held_for uuid REFERENCES backups.transfers,
  ADD CONSTRAINT held_ports_are_not_in_use CHECK (held_for IS NULL OR outgoing);
CREATE INDEX server_ports_held ON configs.server_ports (held_for) WHERE held_for IS NOT NULL;
CREATE OR REPLACE FUNCTION configs.free_outgoing_ports(deployment uuid) RETURNS void LANGUAGE sql AS $$
  DELETE FROM configs.server_ports held
  WHERE held.server_game_config_id = deployment AND held.outgoing AND held.held_for IS NULL AND NOT EXISTS (
    SELECT FROM sessions.sessions live
    WHERE live.server_game_config_id = deployment AND live.status NOT IN ('STOPPED', 'CRASHED', 'FAILED')
      AND live.spec -> 'ports' @> jsonb_build_array(
        jsonb_build_object('hostPort', held.port, 'protocol', held.protocol, 'bindAddress', host(held.address))))
$$;

-- A deployment that is deleted, by whatever way, takes its schedules with it.
CREATE FUNCTION backups.delete_schedules() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  UPDATE backups.schedules SET deleted_at = NEW.deleted_at, next_due_at = NULL, updated_by = NEW.updated_by
  WHERE server_game_config_id = NEW.id AND deleted_at IS NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER delete_schedules AFTER UPDATE OF deleted_at ON configs.server_game_configs
  FOR EACH ROW WHEN (NEW.deleted_at IS NOT NULL AND OLD.deleted_at IS NULL) EXECUTE FUNCTION backups.delete_schedules();
