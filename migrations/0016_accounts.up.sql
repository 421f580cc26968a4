-- Who may come in: people, what they prove themselves with, and the tokens that programs and people send.
CREATE SCHEMA accounts;

CREATE TABLE accounts.users (
  id uuid PRIMARY KEY,
  -- In lower case; what one logs in with, or what the issuer told.
  email text NOT NULL CHECK (length(email) BETWEEN 1 AND 320 AND email = lower(email)),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  role text NOT NULL CHECK (role IN ('VIEWER', 'OPERATOR', 'ADMIN')),
  -- Argon2id with its salt and cost; null for who comes from an issuer, or was given none.
  password_hash text,
  -- Encrypted with the key of that id. It counts from when it was confirmed.
  totp_key_id text,
  totp_secret bytea,
  totp_confirmed_at timestamptz,
  -- The step of the last code taken: each code is good once.
  totp_last_step bigint,
  -- Who vouches for them, and what it calls them.
  oidc_issuer text,
  oidc_subject text,
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  updated_at timestamptz NOT NULL DEFAULT now(),
  updated_by text NOT NULL,
  last_login_at timestamptz,
  deleted_at timestamptz,
  CONSTRAINT issuer_and_subject CHECK ((oidc_issuer IS NULL) = (oidc_subject IS NULL)),
  CONSTRAINT one_way_in CHECK (oidc_issuer IS NULL OR (password_hash IS NULL AND totp_secret IS NULL)),
  CONSTRAINT totp_is_whole CHECK ((totp_key_id IS NULL) = (totp_secret IS NULL)
    AND (totp_confirmed_at IS NULL OR totp_secret IS NOT NULL)),
  UNIQUE (oidc_issuer, oidc_subject)
);
-- An issuer may say any address; those of our own accounts are nobody else's.
CREATE UNIQUE INDEX users_email ON accounts.users (email) WHERE deleted_at IS NULL AND oidc_issuer IS NULL;

CREATE TABLE accounts.tokens (
  id uuid PRIMARY KEY,
  -- SESSION is what a login gives.
  kind text NOT NULL CHECK (kind IN ('API', 'SESSION')),
  -- Null for a service token, which stands alone.
  user_id uuid REFERENCES accounts.users,
  -- The most it may do; null is all that its user may.
  role text CHECK (role IN ('VIEWER', 'OPERATOR', 'ADMIN')),
  name text NOT NULL CHECK (length(name) BETWEEN 1 AND 100),
  -- How the token begins, to tell it from others.
  prefix text NOT NULL,
  -- SHA-256. The token has 256 random bits, so nothing slower is needed.
  token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
  created_at timestamptz NOT NULL DEFAULT now(),
  created_by text NOT NULL,
  expires_at timestamptz,
  -- Written once a minute at most.
  last_used_at timestamptz,
  revoked_at timestamptz,
  revoked_by text,
  CONSTRAINT somebodys_or_of_a_role CHECK (user_id IS NOT NULL OR role IS NOT NULL),
  CONSTRAINT sessions_end CHECK (kind = 'API' OR (user_id IS NOT NULL AND expires_at IS NOT NULL))
);
CREATE INDEX tokens_of_user ON accounts.tokens (user_id, id);

-- What was revoked stays so.
CREATE FUNCTION accounts.keep_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.revoked_at IS NOT NULL AND NEW.revoked_at IS DISTINCT FROM OLD.revoked_at THEN
    RAISE EXCEPTION 'token % was revoked', OLD.id USING ERRCODE = 'check_violation', CONSTRAINT = 'revoked_stays_revoked';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_revoked BEFORE UPDATE OF revoked_at ON accounts.tokens FOR EACH ROW EXECUTE FUNCTION accounts.keep_revoked();

-- Passwords tried, whether or not there is such an account; those of an account go when its password was right.
CREATE TABLE accounts.login_attempts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  email text NOT NULL,
  address text NOT NULL,
  at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX login_attempts_of_account ON accounts.login_attempts (email, at);
CREATE INDEX login_attempts_from ON accounts.login_attempts (address, at);
CREATE INDEX login_attempts_at ON accounts.login_attempts (at);

-- Who asked for what, from where, and what came of it. Written before anything is done; the outcome is added once.
CREATE TABLE accounts.audit_events (
  id uuid PRIMARY KEY,
  at timestamptz NOT NULL DEFAULT now(),
  -- As rows and commands name them.
  actor text NOT NULL,
  actor_kind text NOT NULL,
  -- The user behind a token.
  user_id text,
  role text,
  mutation text NOT NULL,
  -- Its arguments, without what is secret.
  input jsonb NOT NULL,
  address text,
  agent text,
  -- Null: it has not ended, or whoever did it died; it may have happened.
  outcome text CHECK (outcome IN ('OK', 'REFUSED', 'UNKNOWN', 'FAILED')),
  code text,
  ended_at timestamptz,
  CONSTRAINT ended_with_outcome CHECK ((outcome IS NULL) = (ended_at IS NULL))
);
CREATE INDEX audit_events_of_actor ON accounts.audit_events (actor, id);
CREATE INDEX audit_events_of_user ON accounts.audit_events (user_id, id);
CREATE INDEX audit_events_of_mutation ON accounts.audit_events (mutation, id);
CREATE INDEX audit_events_at ON accounts.audit_events (at);

-- What was written stays as it is, but for an outcome that was not there yet; and what is old goes, by the sweep that says so.
CREATE FUNCTION accounts.append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'UPDATE' AND OLD.outcome IS NULL AND NEW.outcome IS NOT NULL
    AND (to_jsonb(NEW) - 'outcome' - 'code' - 'ended_at') = (to_jsonb(OLD) - 'outcome' - 'code' - 'ended_at') THEN
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' AND current_setting('manman.audit_retention', true) = 'on' THEN
    RETURN OLD;
  END IF;
  RAISE EXCEPTION 'the audit is append-only' USING ERRCODE = 'check_violation', CONSTRAINT = 'audit_is_append_only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON accounts.audit_events
  FOR EACH ROW EXECUTE FUNCTION accounts.append_only();
CREATE TRIGGER no_truncate BEFORE TRUNCATE ON accounts.audit_events
  FOR EACH STATEMENT EXECUTE FUNCTION accounts.append_only();
