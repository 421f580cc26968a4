DROP TABLE servers.broker_users;
ALTER TABLE servers.servers DROP COLUMN broker_access, DROP COLUMN broker_generation, DROP COLUMN access_revoked_at;
