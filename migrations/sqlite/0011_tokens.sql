-- Changes that every process follows: a token, a login or a person whose tokens are worth nothing from then on, or a new
-- signing key. Numbered like the changes of keys: the order of the numbers is the order of the commits.
INSERT INTO counters (name, value) VALUES ('token_change', 0);
CREATE TABLE token_changes (
  seq  INTEGER PRIMARY KEY NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('ended', 'signing_key')),
  id   BLOB NOT NULL,
  at   INTEGER NOT NULL
) STRICT;
CREATE INDEX token_changes_by_time ON token_changes (at);

-- Keys that sign tokens. The newest whose time has come signs; older ones are good for what they signed. The seed is sealed.
CREATE TABLE signing_keys (
  id         BLOB PRIMARY KEY NOT NULL,
  algorithm  TEXT NOT NULL CHECK (algorithm IN ('EdDSA')),
  -- Counts up from 1: of two processes that make the same one, one does.
  generation INTEGER NOT NULL,
  sealed     BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  signs_from INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX signing_keys_by_generation ON signing_keys (algorithm, generation);

-- A person who signed in over the API, until they leave: the family of their refresh tokens.
CREATE TABLE logins (
  tenant_id  BLOB NOT NULL REFERENCES tenants (id),
  id         BLOB NOT NULL,
  user_id    BLOB NOT NULL REFERENCES users (id),
  client_id  TEXT NOT NULL,
  ip         TEXT,
  user_agent TEXT,
  created_at INTEGER NOT NULL,
  -- However busy, it ends then.
  expires_at INTEGER NOT NULL,
  ended_at   INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX logins_by_user ON logins (user_id);
CREATE INDEX logins_by_expiry ON logins (expires_at);

CREATE TABLE refresh_tokens (
  tenant_id  BLOB NOT NULL,
  id         BLOB NOT NULL,
  login_id   BLOB NOT NULL,
  -- The one that this one replaced: each has one successor.
  parent_id  BLOB,
  digest     BLOB NOT NULL UNIQUE,
  created_at INTEGER NOT NULL,
  -- Unless it is used before.
  expires_at INTEGER NOT NULL,
  used_at    INTEGER,
  -- The answer to its use, sealed, for the seconds in which it may have been lost.
  answer     BLOB,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, login_id) REFERENCES logins (tenant_id, id)
) STRICT;
CREATE INDEX refresh_tokens_by_login ON refresh_tokens (tenant_id, login_id);
CREATE UNIQUE INDEX refresh_tokens_by_parent ON refresh_tokens (tenant_id, parent_id);
CREATE INDEX refresh_tokens_answered ON refresh_tokens (used_at) WHERE answer IS NOT NULL;

-- Whom a token acted for; none for keys.
ALTER TABLE usage_events ADD COLUMN subject BLOB;

-- Mails, from the change that they tell of until they are sent or given up; rendered when they are sent.
CREATE TABLE mails (
  tenant_id  BLOB NOT NULL REFERENCES tenants (id),
  id         BLOB NOT NULL,
  recipient  TEXT NOT NULL,
  message    TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  -- When it is tried next; none once it was sent or given up.
  due_at     INTEGER,
  attempts   INTEGER NOT NULL DEFAULT 0,
  sent_at    INTEGER,
  -- What the mail server said last.
  error      TEXT,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX mails_by_due ON mails (due_at);
CREATE INDEX mails_by_sending ON mails (sent_at);
