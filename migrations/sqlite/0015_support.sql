-- Operators of the installation who enter a tenant for some hours, for a reason that its people see.
CREATE TABLE support_access (
  tenant_id  BLOB NOT NULL REFERENCES tenants (id),
  id         BLOB NOT NULL,
  user_id    BLOB NOT NULL REFERENCES users (id),
  role       TEXT NOT NULL CHECK (role IN ('admin', 'security', 'support')),
  reason     TEXT NOT NULL CHECK (reason IN ('request', 'incident', 'billing', 'other')),
  note       TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  ended_at   INTEGER,
  PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX support_access_by_user ON support_access (user_id, expires_at);

-- Since when nobody answers for a key whose owner left; none once somebody does again.
ALTER TABLE api_keys ADD COLUMN orphaned_at INTEGER;
CREATE INDEX api_keys_orphaned ON api_keys (orphaned_at) WHERE orphaned_at IS NOT NULL;
