-- OAuth apps: clients of the authorization server (RFC 6749, section 2). Their ids are their client ids.
CREATE TABLE apps (
  tenant_id    UUID NOT NULL REFERENCES tenants (id),
  id           UUID NOT NULL UNIQUE,
  name         TEXT NOT NULL,
  kind         TEXT NOT NULL CHECK (kind IN ('confidential', 'public', 'machine')),
  -- What can change: redirect URIs, scopes, grants, lifetimes and the rest.
  terms        JSONB NOT NULL,
  -- The member who registered it; others see it by their role.
  owner_id     UUID REFERENCES users (id),
  created_at   BIGINT NOT NULL,
  created_by   TEXT NOT NULL,
  suspended_at BIGINT,
  deleted_at   BIGINT,
  last_used_at BIGINT,
  PRIMARY KEY (tenant_id, id)
);

-- Secrets of an app. What is sealed verifies the JWTs that it signs with one; the digest alone authenticates.
CREATE TABLE app_secrets (
  tenant_id   UUID NOT NULL,
  id          UUID NOT NULL,
  app_id      UUID NOT NULL,
  digest      BYTEA NOT NULL,
  sealed      BYTEA NOT NULL,
  last_four   TEXT NOT NULL,
  created_at  BIGINT NOT NULL,
  -- None for the current one; else the end of its overlap with its successor.
  valid_until BIGINT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id)
);
CREATE INDEX app_secrets_by_app ON app_secrets (tenant_id, app_id);
CREATE UNIQUE INDEX app_secrets_current ON app_secrets (tenant_id, app_id) WHERE valid_until IS NULL;

-- Assertions by which apps proved who they are: each once (RFC 7523, section 3).
CREATE TABLE client_assertions (
  tenant_id  UUID NOT NULL,
  app_id     UUID NOT NULL,
  -- Of its `jti`.
  digest     BYTEA NOT NULL,
  expires_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, app_id, digest),
  FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id)
);
CREATE INDEX client_assertions_by_expiry ON client_assertions (expires_at);

-- What a member of a tenant allowed an app to do there for them. The app may be another tenant's.
CREATE TABLE grants (
  tenant_id     UUID NOT NULL REFERENCES tenants (id),
  id            UUID NOT NULL,
  user_id       UUID NOT NULL REFERENCES users (id),
  app_tenant_id UUID NOT NULL,
  app_id        UUID NOT NULL,
  scopes        JSONB NOT NULL,
  created_at    BIGINT NOT NULL,
  updated_at    BIGINT NOT NULL,
  revoked_at    BIGINT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (app_tenant_id, app_id) REFERENCES apps (tenant_id, id)
);
CREATE UNIQUE INDEX grants_standing ON grants (tenant_id, user_id, app_id) WHERE revoked_at IS NULL;
CREATE INDEX grants_by_app ON grants (app_tenant_id, app_id);
CREATE INDEX grants_by_user ON grants (user_id);

-- What an app asked a person for, until they decide. It belongs to their session: another one cannot decide (s54).
CREATE TABLE authorization_requests (
  id            UUID PRIMARY KEY NOT NULL,
  session       BYTEA NOT NULL,
  user_id       UUID NOT NULL REFERENCES users (id),
  app_tenant_id UUID NOT NULL,
  app_id        UUID NOT NULL,
  asked         JSONB NOT NULL,
  created_at    BIGINT NOT NULL,
  expires_at    BIGINT NOT NULL,
  FOREIGN KEY (app_tenant_id, app_id) REFERENCES apps (tenant_id, id)
);
CREATE INDEX authorization_requests_by_expiry ON authorization_requests (expires_at);

-- Authorization codes: 60 seconds, once (s47). A used one stays until its login ends, so that a second use ends that (s48).
CREATE TABLE authorization_codes (
  tenant_id  UUID NOT NULL,
  digest     BYTEA NOT NULL UNIQUE,
  grant_id   UUID NOT NULL,
  app_id     UUID NOT NULL,
  asked      JSONB NOT NULL,
  -- When the person proved who they are.
  auth_time  BIGINT NOT NULL,
  -- Of their account when it was made: whatever ends their sign-ins ends it, too.
  epoch      BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at    BIGINT,
  -- What its use made.
  login_id   UUID,
  PRIMARY KEY (tenant_id, digest),
  FOREIGN KEY (tenant_id, grant_id) REFERENCES grants (tenant_id, id)
);
CREATE INDEX authorization_codes_by_grant ON authorization_codes (tenant_id, grant_id);
CREATE INDEX authorization_codes_by_expiry ON authorization_codes (expires_at);

-- The tokens that an app holds for a person are a login, too.
ALTER TABLE logins ADD COLUMN grant_id UUID;
ALTER TABLE logins ADD COLUMN app_id UUID;
ALTER TABLE logins ADD COLUMN scopes JSONB;
ALTER TABLE logins ADD COLUMN audience TEXT;
ALTER TABLE logins ADD COLUMN auth_time BIGINT;
CREATE INDEX logins_by_grant ON logins (tenant_id, grant_id) WHERE grant_id IS NOT NULL;

-- An app changed, and every process hears of it. Keys that sign ID tokens stand beside those of access tokens.
ALTER TABLE token_changes DROP CONSTRAINT token_changes_kind_check;
ALTER TABLE token_changes ADD CONSTRAINT token_changes_kind_check CHECK (kind IN ('ended', 'signing_key', 'app'));
ALTER TABLE signing_keys DROP CONSTRAINT signing_keys_algorithm_check;
ALTER TABLE signing_keys ADD CONSTRAINT signing_keys_algorithm_check CHECK (algorithm IN ('EdDSA', 'RS256'));

SELECT keystead_isolate('apps');
SELECT keystead_isolate('app_secrets');
SELECT keystead_isolate('client_assertions');
SELECT keystead_isolate('grants');
SELECT keystead_isolate('authorization_codes');
