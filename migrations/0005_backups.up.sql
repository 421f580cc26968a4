-- Archives of deployments' volumes. The table stands from the start, so that the graph can join it; what makes backups follows.
CREATE SCHEMA backups;

CREATE TABLE backups.backups (
  id uuid PRIMARY KEY,
  server_game_config_id uuid NOT NULL REFERENCES configs.server_game_configs,
  session_id uuid REFERENCES sessions.sessions,
  status text NOT NULL CHECK (status IN ('PENDING', 'RUNNING', 'COMPLETED', 'FAILED')),
  bytes_done bigint,
  size_bytes bigint,
  sha256 text,
  error text,
  locked boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  completed_at timestamptz
);
CREATE INDEX backups_of_deployment ON backups.backups (server_game_config_id, id);
