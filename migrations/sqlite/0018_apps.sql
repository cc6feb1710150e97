-- OAuth apps: clients of the authorization server (RFC 6749, section 2). Their ids are their client ids.
CREATE TABLE apps (
  tenant_id    BLOB NOT NULL REFERENCES tenants (id),
  id           BLOB NOT NULL UNIQUE,
  name         TEXT NOT NULL,
  kind         TEXT NOT NULL CHECK (kind IN ('confidential', 'public', 'machine')),
  -- What can change: redirect URIs, scopes, grants, lifetimes and the rest.
  terms        TEXT NOT NULL,
  -- The member who registered it; others see it by their role.
  owner_id     BLOB REFERENCES users (id),
  created_at   INTEGER NOT NULL,
  created_by   TEXT NOT NULL,
  suspended_at INTEGER,
  deleted_at   INTEGER,
  last_used_at INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;

-- Secrets of an app. What is sealed verifies the JWTs that it signs with one; the digest alone authenticates.
CREATE TABLE app_secrets (
  tenant_id   BLOB NOT NULL,
  id          BLOB NOT NULL,
  app_id      BLOB NOT NULL,
  digest      BLOB NOT NULL,
  sealed      BLOB NOT NULL,
  last_four   TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  -- None for the current one; else the end of its overlap with its successor.
  valid_until INTEGER,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id)
) STRICT;
CREATE INDEX app_secrets_by_app ON app_secrets (tenant_id, app_id);
CREATE UNIQUE INDEX app_secrets_current ON app_secrets (tenant_id, app_id) WHERE valid_until IS NULL;

-- Assertions by which apps proved who they are: each once (RFC 7523, section 3).
CREATE TABLE client_assertions (
  tenant_id  BLOB NOT NULL,
  app_id     BLOB NOT NULL,
  -- Of its `jti`.
  digest     BLOB NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, app_id, digest),
  FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id)
) STRICT;
CREATE INDEX client_assertions_by_expiry ON client_assertions (expires_at);

-- What a member of a tenant allowed an app to do there for them. The app may be another tenant's.
CREATE TABLE grants (
  tenant_id     BLOB NOT NULL REFERENCES tenants (id),
  id            BLOB NOT NULL,
  user_id       BLOB NOT NULL REFERENCES users (id),
  app_tenant_id BLOB NOT NULL,
  app_id        BLOB NOT NULL,
  scopes        TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  updated_at    INTEGER NOT NULL,
  revoked_at    INTEGER,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (app_tenant_id, app_id) REFERENCES apps (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX grants_standing ON grants (tenant_id, user_id, app_id) WHERE revoked_at IS NULL;
CREATE INDEX grants_by_app ON grants (app_tenant_id, app_id);
CREATE INDEX grants_by_user ON grants (user_id);

-- What an app asked a person for, until they decide. It belongs to their session: another one cannot decide (s54).
CREATE TABLE authorization_requests (
  id            BLOB PRIMARY KEY NOT NULL,
  session       BLOB NOT NULL,
  user_id       BLOB NOT NULL REFERENCES users (id),
  app_tenant_id BLOB NOT NULL,
  app_id        BLOB NOT NULL,
  asked         TEXT NOT NULL,
  created_at    INTEGER NOT NULL,
  expires_at    INTEGER NOT NULL,
  FOREIGN KEY (app_tenant_id, app_id) REFERENCES apps (tenant_id, id)
) STRICT;
CREATE INDEX authorization_requests_by_expiry ON authorization_requests (expires_at);

-- Authorization codes: 60 seconds, once (s47). A used one stays until its login ends, so that a second use ends that (s48).
CREATE TABLE authorization_codes (
  tenant_id  BLOB NOT NULL,
  digest     BLOB NOT NULL UNIQUE,
  grant_id   BLOB NOT NULL,
  app_id     BLOB NOT NULL,
  asked      TEXT NOT NULL,
  -- When the person proved who they are.
  auth_time  INTEGER NOT NULL,
  -- Of their account when it was made: whatever ends their sign-ins ends it, too.
  epoch      INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER,
  -- What its use made.
  login_id   BLOB,
  PRIMARY KEY (tenant_id, digest),
  FOREIGN KEY (tenant_id, grant_id) REFERENCES grants (tenant_id, id)
) STRICT;
CREATE INDEX authorization_codes_by_grant ON authorization_codes (tenant_id, grant_id);
CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);

-- The tokens that an app holds for a person are a login, too.
ALTER TABLE logins ADD COLUMN grant_id BLOB;
ALTER TABLE logins ADD COLUMN app_id BLOB;
ALTER TABLE logins ADD COLUMN scopes TEXT;
ALTER TABLE logins ADD COLUMN audience TEXT;
ALTER TABLE logins ADD COLUMN auth_time INTEGER;
CREATE INDEX logins_by_grant ON logins (tenant_id, grant_id) WHERE grant_id IS NOT NULL;

-- An app changed, and every process hears of it. Keys that sign ID tokens stand beside those of access tokens. A check
-- cannot be altered here: the tables are made again.
ALTER TABLE token_changes RENAME TO token_changes_before;
DROP INDEX token_changes_by_time;
CREATE TABLE token_changes (
  seq  INTEGER PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('ended', 'signing_key', 'app')),
  id   BLOB NOT NULL,
  at   INTEGER NOT NULL
) STRICT;
INSERT INTO token_changes SELECT * FROM token_changes_before;
DROP TABLE token_changes_before;
CREATE INDEX token_changes_by_time ON token_changes (at);

ALTER TABLE signing_keys RENAME TO signing_keys_before;
DROP INDEX signing_keys_by_generation;
CREATE TABLE signing_keys (
  id         BLOB PRIMARY KEY NOT NULL,
  algorithm  TEXT NOT NULL CHECK (algorithm IN ('EdDSA', 'RS256')),
  generation INTEGER NOT NULL,
  sealed     BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  signs_from INTEGER NOT NULL
) STRICT;
INSERT INTO signing_keys SELECT * FROM signing_keys_before;
DROP TABLE signing_keys_before;
CREATE UNIQUE INDEX signing_keys_by_generation ON signing_keys (algorithm, generation);
