DROP TABLE sessions.expired_log_objects;
ALTER TABLE configs.game_configs DROP COLUMN log_retention_mb, DROP COLUMN log_retention_days;
