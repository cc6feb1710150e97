-- Requests that their sender may repeat: the answer to the first is the answer to all.
CREATE TABLE idempotency_keys (
  tenant_id     UUID NOT NULL REFERENCES tenants (id),
  id            UUID NOT NULL,
  credential_id UUID NOT NULL,
  key           TEXT NOT NULL,
  -- Of method, path and body.
  fingerprint   BYTEA NOT NULL,
  -- The permissions that the first request was asked for; a repetition needs them still.
  perms         TEXT NOT NULL,
  created_at    BIGINT NOT NULL,
  -- None while the first request is running.
  status        BIGINT,
  body          TEXT,
  -- The secret of the answer, sealed, for a few minutes.
  sealed        BYTEA,
  PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX idempotency_keys_by_key ON idempotency_keys (tenant_id, credential_id, key);
CREATE INDEX idempotency_keys_by_time ON idempotency_keys (created_at);
