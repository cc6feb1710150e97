-- A link that somebody asked for by mail and one that an owner or operator made by hand live side by side.
ALTER TABLE reset_links ADD COLUMN mailed BOOLEAN NOT NULL DEFAULT FALSE;
