-- People who were asked to join. Their links hold a token; only its SHA-256 is kept.
CREATE TABLE invitations (
  tenant_id     UUID NOT NULL REFERENCES tenants (id),
  id            UUID NOT NULL,
  digest        BYTEA NOT NULL UNIQUE,
  email         TEXT NOT NULL,
  role          TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'developer', 'security', 'support')),
  created_at    BIGINT NOT NULL,
  created_by    TEXT NOT NULL,
  -- The person who invited, if it was one: with them goes what they may hand out.
  created_by_id UUID REFERENCES users (id),
  expires_at    BIGINT NOT NULL,
  accepted_at   BIGINT,
  withdrawn_at  BIGINT,
  PRIMARY KEY (tenant_id, id)
);
-- One link works for an address; a new one replaces it.
CREATE UNIQUE INDEX invitations_open ON invitations (tenant_id, email) WHERE accepted_at IS NULL AND withdrawn_at IS NULL;

-- What somebody answers for, in whichever tenant.
CREATE INDEX api_keys_by_owner ON api_keys (owner_id, tenant_id);

-- A tenant out of use: nobody works in it and its keys are refused. One that is deleted is removed after a while.
ALTER TABLE tenants ADD COLUMN suspended_at BIGINT;
ALTER TABLE tenants ADD COLUMN deleted_at BIGINT;
-- What the tenant demands of its keys and people; what is absent is not demanded.
ALTER TABLE tenants ADD COLUMN policies JSONB NOT NULL DEFAULT '{}';
