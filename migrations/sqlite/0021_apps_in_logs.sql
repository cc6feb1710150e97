-- Which app sent a request: with its own token, with one that it signed, or for a person who allowed it. None for keys and
-- for people who signed in themselves. The index holds requests of apps only.
ALTER TABLE usage_events ADD COLUMN client_id BLOB;
CREATE INDEX usage_events_by_client ON usage_events (tenant_id, environment, client_id, id) WHERE client_id IS NOT NULL;

-- A secret of an app that was found somewhere is looked up by its digest.
CREATE UNIQUE INDEX app_secrets_by_digest ON app_secrets (digest);
