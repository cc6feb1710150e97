-- An account that somebody made by a link which whoever invited them saw, too: nothing shows yet that the address is theirs.
-- A link that went to the address, and nowhere else, shows it.
ALTER TABLE users ADD COLUMN email_unproved BOOLEAN NOT NULL DEFAULT FALSE;
UPDATE users SET email_unproved = TRUE WHERE NOT platform_admin;
ALTER TABLE invitations ADD COLUMN mail_digest BYTEA;
CREATE UNIQUE INDEX invitations_by_mail ON invitations (mail_digest);
ALTER TABLE reset_links ADD COLUMN mailed BOOLEAN NOT NULL DEFAULT FALSE;

-- Why a tenant is out of use, in the words of whoever took it out.
ALTER TABLE tenants ADD COLUMN closed_reason TEXT;

-- Support looks and revokes: an access as admin goes on as security.
UPDATE support_access SET role = 'security' WHERE role = 'admin' AND ended_at IS NULL;
