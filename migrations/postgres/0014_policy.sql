-- The tenant that a session works in: its policies say how long the session lasts. What it remembers names it already.
ALTER TABLE sessions ADD COLUMN works_in UUID REFERENCES tenants (id);
CREATE INDEX sessions_by_tenant ON sessions (works_in);
UPDATE sessions SET works_in = (SELECT t.id FROM tenants t WHERE sessions.data LIKE '%ten_' || replace(t.id::text, '-', '') || '%');

-- Tries that were not looked at, because their subject had to wait.
ALTER TABLE throttles ADD COLUMN refused BIGINT NOT NULL DEFAULT 0;

-- Counts changes of policies that every process follows.
INSERT INTO counters (name, value) VALUES ('policy_change', 0);
