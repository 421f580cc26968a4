-- How long the archive keeps logs. What expires loses its row first and its object later: no row names an object that is gone,
-- and whoever reads meanwhile comes to an end.
ALTER TABLE configs.game_configs
  ADD COLUMN log_retention_days integer CHECK (log_retention_days > 0),
  ADD COLUMN log_retention_mb integer CHECK (log_retention_mb > 0);

CREATE TABLE sessions.expired_log_objects (
  key text PRIMARY KEY,
  expired_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX expired_log_objects_by_age ON sessions.expired_log_objects (expired_at);
