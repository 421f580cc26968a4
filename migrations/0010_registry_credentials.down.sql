ALTER TABLE sessions.sessions DROP COLUMN registry_auth;
DROP TABLE configs.registry_credentials;
