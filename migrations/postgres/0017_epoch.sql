-- Raised by whatever ends sign-ins of an account: one that began before it opens nothing any more.
ALTER TABLE users ADD COLUMN epoch BIGINT NOT NULL DEFAULT 0;
-- When the last password was given whose second step was taken: that step is taken once.
ALTER TABLE users ADD COLUMN stepped_at BIGINT NOT NULL DEFAULT 0;
