DROP VIEW accounts.granted_deployments;
DROP TABLE accounts.grants;

-- Who was less than a VIEWER, or a token that was for less than everything, must not become more: they come in no longer.
UPDATE accounts.tokens SET revoked_at = now(), revoked_by = 'migration'
WHERE revoked_at IS NULL AND (role = 'MEMBER' OR scopes IS NOT NULL
  OR user_id IN (SELECT id FROM accounts.users WHERE role = 'MEMBER'));
UPDATE accounts.tokens SET role = 'VIEWER' WHERE role = 'MEMBER';
ALTER TABLE accounts.tokens DROP COLUMN scopes;
UPDATE accounts.users SET role = 'VIEWER', deleted_at = coalesce(deleted_at, now()) WHERE role = 'MEMBER';

ALTER TABLE accounts.tokens DROP CONSTRAINT tokens_role_check;
ALTER TABLE accounts.tokens ADD CONSTRAINT tokens_role_check CHECK (role IN ('VIEWER', 'OPERATOR', 'ADMIN'));
ALTER TABLE accounts.users DROP CONSTRAINT users_role_check;
ALTER TABLE accounts.users ADD CONSTRAINT users_role_check CHECK (role IN ('VIEWER', 'OPERATOR', 'ADMIN'));
