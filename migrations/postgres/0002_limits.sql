-- How often the credentials of a tenant may be used, unless a key says otherwise.
CREATE TABLE plans (
  name       TEXT PRIMARY KEY NOT NULL,
  per_hour   BIGINT NOT NULL CHECK (per_hour > 0),
  per_second BIGINT NOT NULL CHECK (per_second > 0)
);
INSERT INTO plans (name, per_hour, per_second) VALUES ('default', 10000, 100);

-- None is the plan 'default'.
ALTER TABLE tenants ADD COLUMN plan TEXT REFERENCES plans (name);
-- From where the live keys of the tenant may be used; empty means from anywhere.
ALTER TABLE tenants ADD COLUMN allowed_ips JSONB NOT NULL DEFAULT '[]';

-- A change of what all keys of a tenant share; `key_id` is then any one of them.
ALTER TABLE key_changes ADD COLUMN whole_tenant BOOLEAN NOT NULL DEFAULT FALSE;
