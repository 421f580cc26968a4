ALTER TABLE servers.servers DROP COLUMN told_disk_low, DROP COLUMN told_status;
ALTER TABLE sessions.sessions DROP COLUMN told_ready, DROP COLUMN told_status;
DROP SCHEMA dead_letters CASCADE;
