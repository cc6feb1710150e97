-- What callers say of themselves: `X-API-Version` and `X-Client-Version`.
ALTER TABLE usage_events ADD COLUMN api_version TEXT;
ALTER TABLE usage_events ADD COLUMN client_version TEXT;
