-- What is allowed to try an app stands beside what the person allowed it in earnest: nobody is shown it, and it ends with
-- the trial.
ALTER TABLE grants ADD COLUMN trial BOOLEAN NOT NULL DEFAULT FALSE;
DROP INDEX grants_standing;
CREATE UNIQUE INDEX grants_standing ON grants (tenant_id, user_id, app_id) WHERE revoked_at IS NULL AND NOT trial;
