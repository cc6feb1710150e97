-- What a decision was made by, so that a trace tells the policy of that moment: content-addressed, so that a policy
-- that decided a million requests stands once.
CREATE TABLE usage_policies (
  tenant_id UUID NOT NULL REFERENCES tenants (id),
  -- SHA-256 of the policy's text.
  hash      BYTEA NOT NULL,
  policy    JSONB NOT NULL,
  PRIMARY KEY (tenant_id, hash)
);

-- The address as 16 bytes in the order of addresses (IPv4 mapped into IPv6): a network is a range of them.
ALTER TABLE usage_events ADD COLUMN ip_key BYTEA;
-- Which secret of the key was used, and the policy that decided (none for unknown credentials).
ALTER TABLE usage_events ADD COLUMN secret_id UUID;
ALTER TABLE usage_events ADD COLUMN policy_hash BYTEA;
-- What the request needed; no environment means that both were accepted.
ALTER TABLE usage_events ADD COLUMN required_environment TEXT;
ALTER TABLE usage_events ADD COLUMN audience TEXT;
ALTER TABLE usage_events ADD COLUMN cost BIGINT NOT NULL DEFAULT 1;
-- What was left of the limit that applied; none where no limit was charged.
ALTER TABLE usage_events ADD COLUMN rate_limit JSONB;
CREATE INDEX usage_events_by_ip ON usage_events (tenant_id, environment, ip_key, id);

-- Filters of the audit log.
CREATE INDEX audit_events_by_actor_id ON audit_events (tenant_id, actor_id, id);
CREATE INDEX audit_events_by_actor_name ON audit_events (tenant_id, actor_name, id);
CREATE INDEX audit_events_by_action ON audit_events (tenant_id, action, id);
CREATE INDEX audit_events_by_request ON audit_events (tenant_id, request_id, id);
CREATE INDEX audit_events_by_target_id ON audit_events (tenant_id, target_id, id);

-- The head of each chain, signed by the installation; none was before.
ALTER TABLE audit_heads ADD COLUMN signed_at BIGINT;
ALTER TABLE audit_heads ADD COLUMN signature BYTEA;
