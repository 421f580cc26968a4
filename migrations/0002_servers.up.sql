-- Machines of the fleet, and the tokens by which a host agent becomes the one that speaks for its machine.
CREATE SCHEMA servers;

CREATE TABLE servers.servers (
  id uuid PRIMARY KEY,
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  environment text NOT NULL CHECK (length(environment) BETWEEN 1 AND 50),
  status text NOT NULL DEFAULT 'OFFLINE' CHECK (status IN ('ONLINE', 'STALE', 'OFFLINE')),
  draining boolean NOT NULL DEFAULT false,
  last_seen_at timestamptz,
  labels jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(labels) = 'object'),
  public_address text,
  -- Host ports handed out when a deployment names none; below Linux's ephemeral range by default.
  port_range int4range NOT NULL DEFAULT '[20000,30000)' CHECK (NOT isempty(port_range) AND lower(port_range) >= 1 AND upper(port_range) <= 65536),
  agent_version text,
  capacity jsonb,
  conditions jsonb NOT NULL DEFAULT '[]',
  -- Of the agent last heard: a higher epoch takes over, a lower one is an agent that has been replaced.
  agent_epoch bigint NOT NULL DEFAULT 0,
  machine_id text,
  public_key text,
  enrolled_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  updated_by text NOT NULL,
  deleted_at timestamptz
);

CREATE UNIQUE INDEX servers_name ON servers.servers (environment, name) WHERE deleted_at IS NULL;
CREATE INDEX servers_last_seen ON servers.servers (last_seen_at) WHERE deleted_at IS NULL AND status <> 'OFFLINE';

-- One-time tokens; only their hash is kept.
CREATE TABLE servers.enrollment_tokens (
  token_hash bytea PRIMARY KEY CHECK (length(token_hash) = 32),
  server_id uuid NOT NULL REFERENCES servers.servers,
  expires_at timestamptz NOT NULL,
  used_at timestamptz,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL
);
