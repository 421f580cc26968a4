-- A session that waits has no place in the schema before: it is as if it had never been asked for.
DELETE FROM sessions.sessions WHERE status = 'PENDING' AND waits_for IS NOT NULL;
DROP INDEX sessions.one_waiting_session_per_deployment;
DROP INDEX sessions.one_live_session_per_deployment;
UPDATE sessions.sessions SET start_deadline = created_at WHERE start_deadline IS NULL;
ALTER TABLE sessions.sessions
  DROP CONSTRAINT deadline_unless_waiting,
  DROP CONSTRAINT only_pending_waits,
  ALTER COLUMN start_deadline SET NOT NULL,
  DROP COLUMN lost_at,
  DROP COLUMN waits_for,
  DROP COLUMN collapsed_restarts,
  DROP COLUMN restart_of,
  DROP COLUMN last_lines,
  DROP COLUMN ready_at;
CREATE UNIQUE INDEX one_live_session_per_deployment ON sessions.sessions (server_game_config_id)
  WHERE status NOT IN ('STOPPED', 'CRASHED', 'FAILED');
ALTER TABLE configs.server_game_configs DROP COLUMN start_priority, DROP COLUMN restart_policy;
ALTER TABLE configs.game_configs DROP COLUMN watchdog, DROP COLUMN ready_timeout_seconds, DROP COLUMN ready_pattern;
