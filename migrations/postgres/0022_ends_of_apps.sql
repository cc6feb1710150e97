-- Tokens that an app got for itself before this work no more. It moves when the app is suspended, and when a secret of it is
-- ended at once: whoever had that has no token left of it.
ALTER TABLE apps ADD COLUMN tokens_from BIGINT NOT NULL DEFAULT 0;

-- The apps that an account answers for, when it is switched off or on.
CREATE INDEX apps_by_owner ON apps (owner_id, tenant_id);

-- Trials that nobody finished are removed.
CREATE INDEX grants_of_trials ON grants (created_at) WHERE trial;
