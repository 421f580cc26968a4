DROP TABLE accounts.audit_events;
DROP FUNCTION accounts.append_only;
DROP TABLE accounts.login_attempts;
DROP TABLE accounts.tokens;
DROP FUNCTION accounts.keep_revoked;
DROP TABLE accounts.users;
DROP SCHEMA accounts;
