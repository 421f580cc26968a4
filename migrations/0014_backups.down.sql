DELETE FROM operations.deployment_operations WHERE kind IN ('RESTORE', 'TRANSFER');
ALTER TABLE operations.deployment_operations DROP CONSTRAINT deployment_operations_kind_check;
ALTER TABLE operations.deployment_operations ADD CONSTRAINT deployment_operations_kind_check
  CHECK (kind IN ('SESSION', 'INSTALL', 'DELETE'));
DROP TABLE backups.policies;
DROP TABLE backups.restores;
DROP TRIGGER keep_history ON backups.backups;
DROP FUNCTION backups.keep_history();
DROP INDEX backups.backups_to_remove;
DROP INDEX backups.backups_under_way;
DROP INDEX backups.one_backup_under_way;
ALTER TABLE backups.backups
  DROP CONSTRAINT completed_backups_are_whole,
  DROP COLUMN trigger,
  DROP COLUMN server_id,
  DROP COLUMN revision,
  DROP COLUMN phase,
  DROP COLUMN volumes,
  DROP COLUMN upload_id,
  DROP COLUMN content_bytes,
  DROP COLUMN entries,
  DROP COLUMN warnings,
  DROP COLUMN progress_at,
  DROP COLUMN stall_seconds,
  DROP COLUMN then_stop,
  DROP COLUMN deleted_at,
  DROP COLUMN removed_at;
ALTER TABLE configs.game_configs DROP COLUMN backup;
