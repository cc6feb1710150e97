-- Raised by whatever ends sign-ins of an account: one that began before it opens nothing any more.
ALTER TABLE users ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
-- The newest sign-in whose second step was taken: none that began before it takes one any more, nor itself again.
ALTER TABLE users ADD COLUMN second_step BLOB;
