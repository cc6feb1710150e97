-- Conventions: ids are UUIDv7 (BLOB), times Unix milliseconds (INTEGER), digests BLOB, JSON TEXT. Every table of a
-- tenant has (tenant_id, id) as its key, and every foreign key between such tables carries the tenant.

-- Numbers that are handed out inside a transaction: the row stays locked until it commits, so the order of the
-- numbers is the order of the commits, without gaps.
CREATE TABLE counters (
  name  TEXT PRIMARY KEY NOT NULL,
  value INTEGER NOT NULL
) STRICT;
INSERT INTO counters (name, value) VALUES ('key_change', 0);

-- Random keys, wrapped by the master key, which never lies in the database.
CREATE TABLE data_keys (
  id         BLOB PRIMARY KEY NOT NULL,
  purpose    TEXT NOT NULL UNIQUE,
  wrapped    BLOB NOT NULL,
  created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE setup_links (
  digest     BLOB PRIMARY KEY NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER
) STRICT;

CREATE TABLE tenants (
  id         BLOB PRIMARY KEY NOT NULL,
  name       TEXT NOT NULL,
  slug       TEXT NOT NULL UNIQUE,
  -- The first tenant: it keeps the log of requests whose credential nobody owns.
  home       INTEGER NOT NULL DEFAULT 0 CHECK (home IN (0, 1)),
  created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX tenants_one_home ON tenants (home) WHERE home = 1;

CREATE TABLE users (
  id             BLOB PRIMARY KEY NOT NULL,
  email          TEXT NOT NULL UNIQUE,
  password_hash  TEXT NOT NULL,
  platform_admin INTEGER NOT NULL DEFAULT 0 CHECK (platform_admin IN (0, 1)),
  created_at     INTEGER NOT NULL,
  disabled_at    INTEGER
) STRICT;

CREATE TABLE members (
  tenant_id  BLOB NOT NULL REFERENCES tenants (id),
  user_id    BLOB NOT NULL REFERENCES users (id),
  role       TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'security', 'support')),
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, user_id)
) STRICT;
CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE sessions (
  digest       BLOB PRIMARY KEY NOT NULL,
  user_id      BLOB REFERENCES users (id),
  data         TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  expires_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_user ON sessions (user_id);

CREATE TABLE scopes (
  tenant_id   BLOB NOT NULL REFERENCES tenants (id),
  canonical   TEXT NOT NULL,
  name        TEXT NOT NULL,
  description TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, canonical)
) STRICT;

CREATE TABLE api_keys (
  tenant_id     BLOB NOT NULL REFERENCES tenants (id),
  id            BLOB NOT NULL,
  name          TEXT NOT NULL,
  kind          TEXT NOT NULL CHECK (kind IN ('secret', 'restricted', 'tenant', 'gateway')),
  environment   TEXT NOT NULL CHECK (environment IN ('live', 'test')),
  scopes        TEXT NOT NULL,
  allowed_ips   TEXT NOT NULL,
  not_before    INTEGER,
  expires_at    INTEGER,
  rate_limit    TEXT,
  metadata      TEXT NOT NULL,
  owner_id      BLOB REFERENCES users (id),
  platform      INTEGER NOT NULL DEFAULT 0 CHECK (platform IN (0, 1)),
  created_at    INTEGER NOT NULL,
  created_by    TEXT NOT NULL,
  disabled_at   INTEGER,
  revoked_at    INTEGER,
  last_used_at  INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX api_keys_by_id ON api_keys (id);
CREATE INDEX api_keys_by_environment ON api_keys (tenant_id, environment, id);

-- A key outlives its secrets: during a rotation it has two.
CREATE TABLE api_key_secrets (
  tenant_id   BLOB NOT NULL,
  id          BLOB NOT NULL,
  key_id      BLOB NOT NULL,
  -- An algorithm byte, then the keyed hash.
  digest      BLOB NOT NULL UNIQUE,
  prefix      TEXT NOT NULL,
  last_four   TEXT NOT NULL,
  created_at  INTEGER NOT NULL,
  -- Set while the secret is being replaced: it works until then.
  valid_until INTEGER,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, key_id) REFERENCES api_keys (tenant_id, id)
) STRICT;
CREATE INDEX api_key_secrets_by_key ON api_key_secrets (tenant_id, key_id, id);

-- What every process follows to keep its snapshot of the keys true.
CREATE TABLE key_changes (
  seq       INTEGER PRIMARY KEY NOT NULL,
  tenant_id BLOB NOT NULL,
  key_id    BLOB NOT NULL,
  at        INTEGER NOT NULL,
  FOREIGN KEY (tenant_id, key_id) REFERENCES api_keys (tenant_id, id)
) STRICT;

-- Forms that were acted on, so that posting one twice acts once.
CREATE TABLE forms (
  tenant_id  BLOB NOT NULL REFERENCES tenants (id),
  id         BLOB NOT NULL,
  user_id    BLOB NOT NULL REFERENCES users (id),
  key_id     BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, key_id) REFERENCES api_keys (tenant_id, id) DEFERRABLE INITIALLY DEFERRED
) STRICT;

CREATE TABLE audit_heads (
  tenant_id BLOB PRIMARY KEY NOT NULL REFERENCES tenants (id),
  seq       INTEGER NOT NULL,
  hash      BLOB NOT NULL
) STRICT;

CREATE TABLE audit_events (
  tenant_id   BLOB NOT NULL REFERENCES tenants (id),
  id          BLOB NOT NULL,
  seq         INTEGER NOT NULL,
  at          INTEGER NOT NULL,
  actor_kind  TEXT NOT NULL,
  actor_id    TEXT,
  actor_name  TEXT NOT NULL,
  action      TEXT NOT NULL,
  target_kind TEXT NOT NULL,
  target_id   TEXT NOT NULL,
  target_name TEXT NOT NULL,
  ip          TEXT,
  request_id  TEXT,
  reason      TEXT,
  -- Kept as the text that was hashed.
  before      TEXT,
  after       TEXT,
  prev_hash   BLOB NOT NULL,
  hash        BLOB NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE UNIQUE INDEX audit_events_by_seq ON audit_events (tenant_id, seq);
CREATE INDEX audit_events_by_target ON audit_events (tenant_id, target_id, seq);

-- Events that wait to be delivered.
CREATE TABLE outbox (
  tenant_id    BLOB NOT NULL REFERENCES tenants (id),
  id           BLOB NOT NULL,
  topic        TEXT NOT NULL,
  payload      TEXT NOT NULL,
  created_at   INTEGER NOT NULL,
  delivered_at INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;

CREATE TABLE usage_events (
  tenant_id       BLOB NOT NULL REFERENCES tenants (id),
  id              BLOB NOT NULL,
  at              INTEGER NOT NULL,
  request_id      TEXT NOT NULL,
  credential_id   BLOB,
  kind            TEXT NOT NULL,
  outcome         TEXT NOT NULL CHECK (outcome IN ('allowed', 'denied')),
  code            TEXT NOT NULL,
  method          TEXT,
  path            TEXT,
  ip              TEXT,
  user_agent      TEXT,
  environment     TEXT NOT NULL CHECK (environment IN ('live', 'test')),
  required_scopes TEXT NOT NULL,
  source          TEXT NOT NULL,
  latency_us      INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX usage_events_by_environment ON usage_events (tenant_id, environment, id);
CREATE INDEX usage_events_by_credential ON usage_events (tenant_id, environment, credential_id, id);
CREATE INDEX usage_events_by_outcome ON usage_events (tenant_id, environment, outcome, id);
CREATE INDEX usage_events_by_request ON usage_events (tenant_id, request_id, id);
