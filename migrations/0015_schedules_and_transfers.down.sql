DROP TRIGGER delete_schedules ON configs.server_game_configs;
DROP FUNCTION backups.delete_schedules();
CREATE OR REPLACE FUNCTION configs.free_outgoing_ports(deployment uuid) RETURNS void LANGUAGE sql AS $$
  DELETE FROM configs.server_ports held
  WHERE held.server_game_config_id = deployment AND held.outgoing AND NOT EXISTS (
    SELECT FROM sessions.sessions live
    WHERE live.server_game_config_id = deployment AND live.status NOT IN ('STOPPED', 'CRASHED', 'FAILED')
      AND live.spec -> 'ports' @> jsonb_build_array(
        jsonb_build_object('hostPort', held.port, 'protocol', held.protocol, 'bindAddress', host(held.address))))
$$;
DELETE FROM configs.server_ports WHERE held_for IS NOT NULL;
ALTER TABLE configs.server_ports DROP CONSTRAINT held_ports_are_not_in_use, DROP COLUMN held_for;
DROP TABLE backups.transfers;
DROP TABLE backups.schedule_runs;
DROP TABLE backups.schedules;
