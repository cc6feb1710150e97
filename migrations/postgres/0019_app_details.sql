-- The logo of an app, as it is served: drawn anew from what was uploaded. Its name changes with it.
CREATE TABLE app_logos (
  tenant_id  UUID NOT NULL,
  app_id     UUID NOT NULL,
  hash       TEXT NOT NULL,
  png        BYTEA NOT NULL,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (tenant_id, app_id),
  FOREIGN KEY (tenant_id, app_id) REFERENCES apps (tenant_id, id)
);

SELECT keystead_isolate('app_logos');
