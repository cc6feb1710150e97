-- A reported secret works no more, whatever grace it had; the key's newer secret is not touched by it.
ALTER TABLE api_key_secrets ADD COLUMN revoked_at INTEGER;

-- Keys that were found where they should not be. The text they were found in is never kept.
CREATE TABLE leak_reports (
  tenant_id   BLOB NOT NULL REFERENCES tenants (id),
  id          BLOB NOT NULL,
  key_id      BLOB NOT NULL,
  secret_id   BLOB NOT NULL,
  source      TEXT NOT NULL CHECK (source IN ('desk', 'public')),
  effect      TEXT NOT NULL CHECK (effect IN ('recorded', 'revoked', 'alerted', 'already_dead')),
  found_at    INTEGER NOT NULL,
  reported_by TEXT NOT NULL,
  note        TEXT,
  notified_at INTEGER,
  closed_at   INTEGER,
  closed_by   TEXT,
  PRIMARY KEY (tenant_id, id),
  FOREIGN KEY (tenant_id, key_id) REFERENCES api_keys (tenant_id, id),
  FOREIGN KEY (tenant_id, secret_id) REFERENCES api_key_secrets (tenant_id, id)
) STRICT;
-- One open report a secret: sending a key again changes nothing.
CREATE UNIQUE INDEX leak_reports_open ON leak_reports (tenant_id, secret_id) WHERE closed_at IS NULL;
CREATE INDEX leak_reports_by_secret ON leak_reports (tenant_id, secret_id, id);
CREATE INDEX leak_reports_by_key ON leak_reports (tenant_id, key_id, id);
