-- Saves that survive: what a backup holds and how it came to be, restores, and what each deployment wants of its backups.
ALTER TABLE configs.game_configs
  -- How its game is made to save, and what of its volumes is no save: an object as in lib/domain/backup-policy.ts.
  ADD COLUMN backup jsonb NOT NULL DEFAULT '{}';

ALTER TABLE backups.backups
  ADD COLUMN trigger text NOT NULL DEFAULT 'MANUAL'
    CHECK (trigger IN ('MANUAL', 'SCHEDULE', 'BEFORE_STOP', 'BEFORE_RESTORE', 'TRANSFER')),
  -- Where it is made; a deployment may have moved since.
  ADD COLUMN server_id uuid REFERENCES servers.servers,
  -- Of its host's last report that was applied.
  ADD COLUMN revision bigint NOT NULL DEFAULT 0,
  -- What its host is at.
  ADD COLUMN phase text,
  -- Names of the deployment's volumes that are in it, besides its own.
  ADD COLUMN volumes jsonb NOT NULL DEFAULT '[]',
  -- The multipart upload under way, as the store calls it.
  ADD COLUMN upload_id text,
  -- Unpacked.
  ADD COLUMN content_bytes bigint,
  ADD COLUMN entries bigint,
  -- What could not be taken as it was; texts.
  ADD COLUMN warnings jsonb NOT NULL DEFAULT '[]',
  -- The last sign of progress, by the database's clock.
  ADD COLUMN progress_at timestamptz NOT NULL DEFAULT now(),
  -- Without progress for so long it has failed.
  ADD COLUMN stall_seconds integer NOT NULL DEFAULT 900 CHECK (stall_seconds > 0),
  -- This session is stopped when the backup is over, however it ended.
  ADD COLUMN then_stop uuid REFERENCES sessions.sessions,
  ADD COLUMN deleted_at timestamptz,
  -- When nothing of it was left in the store.
  ADD COLUMN removed_at timestamptz,
  ADD CONSTRAINT completed_backups_are_whole CHECK (
    status <> 'COMPLETED' OR (size_bytes IS NOT NULL AND sha256 IS NOT NULL AND completed_at IS NOT NULL));
UPDATE backups.backups b SET server_id = d.server_id FROM configs.server_game_configs d WHERE d.id = b.server_game_config_id;
ALTER TABLE backups.backups ALTER COLUMN server_id SET NOT NULL;
CREATE UNIQUE INDEX one_backup_under_way ON backups.backups (server_game_config_id) WHERE status IN ('PENDING', 'RUNNING');
CREATE INDEX backups_under_way ON backups.backups (progress_at) WHERE status IN ('PENDING', 'RUNNING');
CREATE INDEX backups_to_remove ON backups.backups (id) WHERE deleted_at IS NOT NULL AND removed_at IS NULL;

-- What has ended stays as it ended.
CREATE FUNCTION backups.keep_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.status IN ('COMPLETED', 'FAILED') AND NEW.status <> OLD.status THEN
    RAISE EXCEPTION 'backup % is %, which is final', OLD.id, OLD.status USING ERRCODE = 'check_violation', CONSTRAINT = 'final_stays_final';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_history BEFORE UPDATE OF status ON backups.backups FOR EACH ROW EXECUTE FUNCTION backups.keep_history();

CREATE TABLE backups.restores (
  id uuid PRIMARY KEY,
  backup_id uuid NOT NULL REFERENCES backups.backups,
  -- Whose volumes become what the backup holds; it may be another deployment than the backup's.
  server_game_config_id uuid NOT NULL REFERENCES configs.server_game_configs,
  server_id uuid NOT NULL REFERENCES servers.servers,
  status text NOT NULL CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED')),
  revision bigint NOT NULL DEFAULT 0,
  phase text,
  -- Of the archive that are on the machine.
  bytes_done bigint,
  error text,
  -- Only these, relative as `backupFiles` names them; null is all.
  paths jsonb,
  -- A backup that has to be there first.
  waits_for uuid REFERENCES backups.backups,
  -- The control plane gave it up: what its host says later still counts.
  judged boolean NOT NULL DEFAULT false,
  progress_at timestamptz NOT NULL DEFAULT now(),
  stall_seconds integer NOT NULL DEFAULT 900 CHECK (stall_seconds > 0),
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  completed_at timestamptz
);
CREATE INDEX restores_of_deployment ON backups.restores (server_game_config_id, id);
CREATE INDEX restores_of_backup ON backups.restores (backup_id);
CREATE INDEX restores_under_way ON backups.restores (progress_at) WHERE status IN ('PENDING', 'RUNNING');
CREATE INDEX restores_waiting ON backups.restores (waits_for) WHERE status = 'PENDING' AND waits_for IS NOT NULL;

-- What a deployment wants of its backups: an object as in lib/domain/backup-policy.ts.
CREATE TABLE backups.policies (
  server_game_config_id uuid PRIMARY KEY REFERENCES configs.server_game_configs,
  policy jsonb NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  updated_by text NOT NULL
);

ALTER TABLE operations.deployment_operations DROP CONSTRAINT deployment_operations_kind_check;
ALTER TABLE operations.deployment_operations ADD CONSTRAINT deployment_operations_kind_check
  CHECK (kind IN ('SESSION', 'INSTALL', 'DELETE', 'RESTORE', 'TRANSFER'));
