-- Isolation in the database itself: a transaction says which tenant it is about, and sees and changes rows of no other
-- one, whatever its statements ask for. One that says nothing sees none. `FORCE`, because the server owns its tables.

-- Every migration that makes a table of a tenant calls it. The settings are read once in a statement, not with each row.
CREATE FUNCTION keystead_isolate(isolated REGCLASS, tenant TEXT DEFAULT 'tenant_id') RETURNS VOID LANGUAGE plpgsql AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', isolated);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', isolated);
  EXECUTE format(
    'CREATE POLICY one_tenant ON %s
       USING (%2$I = (SELECT NULLIF(current_setting(''keystead.tenant'', TRUE), '''')::UUID)
         OR (SELECT current_setting(''keystead.scope'', TRUE) = ''all''))
       WITH CHECK (%2$I = (SELECT NULLIF(current_setting(''keystead.tenant'', TRUE), '''')::UUID)
         OR (SELECT current_setting(''keystead.scope'', TRUE) = ''all''))', isolated, tenant);
END $$;

SELECT keystead_isolate('tenants', 'id');
SELECT keystead_isolate('members');
SELECT keystead_isolate('scopes');
SELECT keystead_isolate('api_keys');
SELECT keystead_isolate('api_key_secrets');
SELECT keystead_isolate('key_changes');
SELECT keystead_isolate('forms');
SELECT keystead_isolate('audit_heads');
SELECT keystead_isolate('audit_events');
SELECT keystead_isolate('outbox');
SELECT keystead_isolate('usage_events');
SELECT keystead_isolate('usage_policies');
SELECT keystead_isolate('leak_reports');
SELECT keystead_isolate('idempotency_keys');
SELECT keystead_isolate('invitations');
SELECT keystead_isolate('logins');
SELECT keystead_isolate('refresh_tokens');
SELECT keystead_isolate('mails');
