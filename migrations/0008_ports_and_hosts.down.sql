ALTER TABLE servers.servers RESET (fillfactor);
CREATE INDEX servers_last_seen ON servers.servers (last_seen_at) WHERE deleted_at IS NULL AND status <> 'OFFLINE';

DROP TRIGGER free_outgoing_ports ON operations.deployment_operations;
DROP FUNCTION operations.free_outgoing_ports();
DROP FUNCTION configs.free_outgoing_ports(uuid);

-- What was given up is free at once: the table before knows no such ports.
DELETE FROM configs.server_ports WHERE outgoing;
DROP INDEX configs.server_ports_of_deployment;
DROP INDEX configs.server_ports_outgoing;
ALTER TABLE configs.server_ports
  DROP CONSTRAINT one_use_per_port,
  DROP CONSTRAINT one_owner_per_port,
  DROP COLUMN outgoing,
  ADD PRIMARY KEY (server_game_config_id, name),
  ADD CONSTRAINT one_owner_per_port EXCLUDE USING gist (server_id WITH =, port WITH =, protocol WITH =, address inet_ops WITH &&);
