-- A link that somebody asked for by mail and one that an owner or operator made by hand live side by side.
ALTER TABLE reset_links ADD COLUMN mailed INTEGER NOT NULL DEFAULT 0 CHECK (mailed IN (0, 1));
