-- Proof of who is there: tries, second factors, devices that a person has signed in on, links that reset a password.
-- People belong to no tenant, and so does none of this.

-- Tries that have not succeeded yet, each counted before it is judged. The subject is the hash of what was tried.
CREATE TABLE throttles (
  subject       BYTEA PRIMARY KEY NOT NULL,
  failures      BIGINT NOT NULL,
  blocked_until BIGINT NOT NULL,
  last_at       BIGINT NOT NULL
);
CREATE INDEX throttles_by_age ON throttles (last_at);

CREATE TABLE second_factors (
  user_id      UUID PRIMARY KEY NOT NULL REFERENCES users (id),
  -- Sealed: it must be read again to know the next code.
  secret       BYTEA NOT NULL,
  -- The newest step whose code was accepted: no code is accepted twice.
  last_step    BIGINT NOT NULL,
  created_at   BIGINT NOT NULL,
  -- Until the first code has been given, it protects nothing.
  confirmed_at BIGINT
);

CREATE TABLE recovery_codes (
  user_id UUID NOT NULL REFERENCES users (id),
  digest  BYTEA NOT NULL,
  used_at BIGINT,
  PRIMARY KEY (user_id, digest)
);

CREATE TABLE known_devices (
  user_id      UUID NOT NULL REFERENCES users (id),
  digest       BYTEA NOT NULL,
  created_at   BIGINT NOT NULL,
  last_seen_at BIGINT NOT NULL,
  PRIMARY KEY (user_id, digest)
);

CREATE TABLE reset_links (
  digest     BYTEA PRIMARY KEY NOT NULL,
  user_id    UUID NOT NULL REFERENCES users (id),
  created_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  used_at    BIGINT
);
CREATE INDEX reset_links_by_user ON reset_links (user_id);

-- Where a session began.
ALTER TABLE sessions ADD COLUMN ip TEXT;
ALTER TABLE sessions ADD COLUMN user_agent TEXT;
