-- A deployment's ports may change while a session of it lives: what it gives up stays its own until that session's container
-- is gone, and is free from then on. And what makes a machine's row cheap to write every few seconds.
ALTER TABLE configs.server_ports
  -- Given up: no session to come gets it, one that lives still has it.
  ADD COLUMN outgoing boolean NOT NULL DEFAULT false,
  DROP CONSTRAINT server_ports_pkey,
  DROP CONSTRAINT one_owner_per_port,
  ADD CONSTRAINT one_owner_per_port EXCLUDE USING gist
    (server_id WITH =, port WITH =, protocol WITH =, address inet_ops WITH &&, server_game_config_id WITH <>),
  -- One owner has the same port twice only while it moves from one binding to another.
  ADD CONSTRAINT one_use_per_port EXCLUDE USING gist (server_id WITH =, port WITH =, protocol WITH =, address inet_ops WITH &&)
    WHERE (NOT outgoing);
CREATE UNIQUE INDEX server_ports_of_deployment ON configs.server_ports (server_game_config_id, name) WHERE NOT outgoing;
CREATE INDEX server_ports_outgoing ON configs.server_ports (server_game_config_id) WHERE outgoing;

-- Frees what a deployment has given up and no live session of it binds: one that waits for its start, and one that its host
-- has begun by itself, have the ports that stand in their spec.
CREATE FUNCTION configs.free_outgoing_ports(deployment uuid) RETURNS void LANGUAGE sql AS $$
  DELETE FROM configs.server_ports held
  WHERE held.server_game_config_id = deployment AND held.outgoing AND NOT EXISTS (
    SELECT FROM sessions.sessions live
    WHERE live.server_game_config_id = deployment AND live.status NOT IN ('STOPPED', 'CRASHED', 'FAILED')
      AND live.spec -> 'ports' @> jsonb_build_array(
        jsonb_build_object('hostPort', held.port, 'protocol', held.protocol, 'bindAddress', host(held.address))))
$$;

CREATE FUNCTION operations.free_outgoing_ports() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM configs.free_outgoing_ports(NEW.server_game_config_id);
  RETURN NULL;
END $$;

-- At commit: the transaction that ends a session may have begun the one that continues it.
CREATE CONSTRAINT TRIGGER free_outgoing_ports AFTER UPDATE OF closed_at ON operations.deployment_operations
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.closed_at IS NOT NULL)
  EXECUTE FUNCTION operations.free_outgoing_ports();

-- Every heartbeat writes last_seen_at: with an index on it, it also writes all indexes of the table anew.
DROP INDEX servers.servers_last_seen;
ALTER TABLE servers.servers SET (fillfactor = 70);
