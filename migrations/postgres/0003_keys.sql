-- A key has one current secret; older ones carry the time at which they end.
CREATE UNIQUE INDEX api_key_secrets_current ON api_key_secrets (tenant_id, key_id) WHERE valid_until IS NULL;

-- What a search looks through, lower-cased: the name, a line break, then the current secret as it is displayed (its
-- prefix, a space, its last four characters). Byte by byte it is also the order by name.
ALTER TABLE api_keys ADD COLUMN search TEXT COLLATE "C" NOT NULL DEFAULT '';
-- The scopes between spaces, so that one of them can be looked for.
ALTER TABLE api_keys ADD COLUMN scope_names TEXT NOT NULL DEFAULT '';
UPDATE api_keys SET
  search = lower(name) || chr(10) || COALESCE((SELECT lower(s.prefix) || ' ' || lower(s.last_four) FROM api_key_secrets s
    WHERE s.tenant_id = api_keys.tenant_id AND s.key_id = api_keys.id AND s.valid_until IS NULL), ''),
  scope_names = COALESCE((SELECT ' ' || string_agg(value, ' ') || ' ' FROM jsonb_array_elements_text(api_keys.scopes)), '');

-- Each order of the list, with what most searches ask, so that they are answered from the index alone.
CREATE INDEX api_keys_by_creation ON api_keys (tenant_id, id, environment, search);
CREATE INDEX api_keys_by_name ON api_keys (tenant_id, search, id, environment);
CREATE INDEX api_keys_by_use ON api_keys (tenant_id, COALESCE(last_used_at, 0), id, environment, search);
CREATE INDEX api_keys_by_expiry ON api_keys (tenant_id, COALESCE(expires_at, 9223372036854775807), id, environment, search);
