-- The logo of an app, as it is served: drawn anew from what was uploaded. Its name changes with it.
CREATE TABLE app_logos (
  tenant_id  BLOB NOT NULL,
  app_id     BLOB NOT NULL,
  hash       TEXT NOT NULL,
  png        BLOB NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (tenant_id, app_id),
  FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id)
) STRICT;
