-- A mail may carry a link. Its token lies sealed until the mail is sent or given up, and which sort of link it is stays.
ALTER TABLE mails ADD COLUMN link TEXT CHECK (link IN ('invitation', 'reset', 'email'));
ALTER TABLE mails ADD COLUMN sealed BYTEA;
-- From then on it would say nothing new.
ALTER TABLE mails ADD COLUMN expires_at BIGINT;
CREATE INDEX mails_by_id ON mails (id);
CREATE INDEX mails_by_expiry ON mails (expires_at);

-- Mails to people about their own account: people belong to no tenant, and neither do these.
CREATE TABLE person_mails (
  id         UUID PRIMARY KEY NOT NULL,
  user_id    UUID NOT NULL REFERENCES users (id),
  recipient  TEXT NOT NULL,
  message    JSONB NOT NULL,
  link       TEXT CHECK (link IN ('invitation', 'reset', 'email')),
  sealed     BYTEA,
  created_at BIGINT NOT NULL,
  due_at     BIGINT,
  expires_at BIGINT NOT NULL,
  attempts   BIGINT NOT NULL DEFAULT 0,
  sent_at    BIGINT,
  error      TEXT
);
CREATE INDEX person_mails_by_due ON person_mails (due_at);
CREATE INDEX person_mails_by_sending ON person_mails (sent_at);
CREATE INDEX person_mails_by_expiry ON person_mails (expires_at);
CREATE INDEX person_mails_by_user ON person_mails (user_id);

-- Addresses whose password somebody has forgotten, whether they have an account or not: a job looks that up, so that the
-- answer to whoever asked is the same and takes as long.
CREATE TABLE reset_requests (
  id         UUID PRIMARY KEY NOT NULL,
  email      TEXT NOT NULL,
  ip         TEXT,
  request_id TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

-- Another address for an account, until the links at both addresses were opened.
CREATE TABLE email_changes (
  user_id          UUID PRIMARY KEY NOT NULL REFERENCES users (id),
  new_email        TEXT NOT NULL,
  new_digest       BYTEA NOT NULL UNIQUE,
  old_digest       BYTEA NOT NULL UNIQUE,
  created_at       BIGINT NOT NULL,
  expires_at       BIGINT NOT NULL,
  new_confirmed_at BIGINT,
  old_confirmed_at BIGINT
);

-- Which keys were told to expire, so many days before: once for each date at which a key expires, by whichever node.
CREATE TABLE key_notices (
  tenant_id  UUID NOT NULL,
  key_id     UUID NOT NULL,
  expires_at BIGINT NOT NULL,
  days       BIGINT NOT NULL,
  told_at    BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, key_id, expires_at, days),
  FOREIGN KEY (tenant_id, key_id) REFERENCES api_keys (tenant_id, id)
);
CREATE INDEX api_keys_expiring ON api_keys (expires_at) WHERE expires_at IS NOT NULL AND revoked_at IS NULL;

SELECT keystead_isolate('key_notices');
