-- The apps that an account answers for, when it is switched off or on.
CREATE INDEX apps_by_owner ON apps (owner_id, tenant_id);
