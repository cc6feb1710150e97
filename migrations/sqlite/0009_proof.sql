-- Proof of who is there: tries, second factors, devices that a person has signed in on, links that reset a password.
-- People belong to no tenant, and so does none of this.

-- Tries that have not succeeded yet, each counted before it is judged. The subject is the hash of what was tried.
CREATE TABLE throttles (
  subject       BLOB PRIMARY KEY NOT NULL,
  failures      INTEGER NOT NULL,
  blocked_until INTEGER NOT NULL,
  last_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX throttles_by_age ON throttles (last_at);

CREATE TABLE second_factors (
  user_id      BLOB PRIMARY KEY NOT NULL REFERENCES users (id),
  -- Sealed: it must be read again to know the next code.
  secret       BLOB NOT NULL,
  -- The newest step whose code was accepted: no code is accepted twice.
  last_step    INTEGER NOT NULL,
  created_at   INTEGER NOT NULL,
  -- Until the first code has been given, it protects nothing.
  confirmed_at INTEGER
) STRICT;

CREATE TABLE recovery_codes (
  user_id BLOB NOT NULL REFERENCES users (id),
  digest  BLOB NOT NULL,
  used_at INTEGER,
  PRIMARY KEY (user_id, digest)
) STRICT;

CREATE TABLE known_devices (
  user_id      BLOB NOT NULL REFERENCES users (id),
  digest       BLOB NOT NULL,
  created_at   INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, digest)
) STRICT;

CREATE TABLE reset_links (
  digest     BLOB PRIMARY KEY NOT NULL,
  user_id    BLOB NOT NULL REFERENCES users (id),
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  used_at    INTEGER
) STRICT;
CREATE INDEX reset_links_by_user ON reset_links (user_id);

-- Where a session began.
ALTER TABLE sessions ADD COLUMN ip TEXT;
ALTER TABLE sessions ADD COLUMN user_agent TEXT;
