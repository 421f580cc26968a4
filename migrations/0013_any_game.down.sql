DROP TABLE sessions.action_runs;
DROP TABLE configs.changes;
DELETE FROM operations.deployment_operations WHERE kind = 'INSTALL';
ALTER TABLE operations.deployment_operations DROP CONSTRAINT deployment_operations_kind_check;
ALTER TABLE operations.deployment_operations ADD CONSTRAINT deployment_operations_kind_check CHECK (kind IN ('SESSION', 'DELETE'));
ALTER TABLE sessions.sessions
  DROP COLUMN kind, DROP COLUMN parameters, DROP COLUMN given_parameters, DROP COLUMN given_secrets,
  DROP COLUMN config_revision, DROP COLUMN deployment_revision;
ALTER TABLE configs.server_game_configs
  DROP COLUMN parameters, DROP COLUMN secrets, DROP COLUMN resources, DROP COLUMN actions, DROP COLUMN links, DROP COLUMN revision;
ALTER TABLE configs.game_configs
  DROP COLUMN parameters, DROP COLUMN files, DROP COLUMN install, DROP COLUMN actions, DROP COLUMN host_network,
  DROP COLUMN revision;
ALTER TABLE configs.games DROP COLUMN actions;
