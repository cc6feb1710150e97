-- Operators of the installation who enter a tenant for some hours, for a reason that its people see.
CREATE TABLE support_access (
  tenant_id  UUID NOT NULL REFERENCES tenants (id),
  id         UUID NOT NULL,
  user_id    UUID NOT NULL REFERENCES users (id),
  role       TEXT NOT NULL CHECK (role IN ('admin', 'security', 'support')),
  reason     TEXT NOT NULL CHECK (reason IN ('request', 'incident', 'billing', 'other')),
  note       TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at   BIGINT,
  PRIMARY KEY (tenant_id, id)
);
CREATE INDEX support_access_by_user ON support_access (user_id, expires_at);

-- Since when nobody answers for a key whose owner left; none once somebody does again.
ALTER TABLE api_keys ADD COLUMN orphaned_at BIGINT;
CREATE INDEX api_keys_orphaned ON api_keys (orphaned_at) WHERE orphaned_at IS NOT NULL;
SELECT keystead_isolate('support_access');
