import { both, expect, OWNER, test } from '../fixtures';

both(() => {
  test('revoking names what it breaks, wants the name typed, and the next request is refused', async ({ app, page, api }) => {
    const key = await app.createKey({ name: 'partner-sync', scopes: 'contacts:read' });
    for (let n = 0; n < 1_204; n++) await api.verify({ credential: key.secret, ip: `203.0.113.${n % 3}`, path: '/v2/contacts', cost: 0 });
    await api.verify({ credential: key.secret, ip: '203.0.113.99', scopes: ['contacts:write'] });
    expect((await api.test(key.secret)).status).toBe(200);
    await app.enter();
    await expect.poll(async () => (await (await app.owner()).get(`/keys/${key.id}/revoke`)).text()).toContain('1,205 requests');

    await app.visit(`/keys/${key.id}`);
    await page.getByRole('link', { name: 'Revoke key' }).click();
    await expect(app.heading).toHaveText('Revoke partner-sync?');
    await app.ready();
    const main = page.getByRole('main');
    await expect(main).toContainText('Every request with this key is refused from now on, within a second. This cannot be undone.');
    await expect(main).toContainText('1,205 requests of the last 30 days would have been refused.');
    // Three that the gateway named, and the loopback address of the direct call; the denied one would not be missed.
    await expect(main).toContainText('They came from 4 addresses, 1,205 in the last 24 hours');

    const callers = page.getByRole('table', { name: 'Callers that would be refused' });
    await expect(callers.getByRole('row')).toHaveCount(5);
    await expect(callers).toContainText('203.0.113.2');
    await expect(page.getByRole('link', { name: 'Rotate instead' })).toHaveAttribute('href', `/keys/${key.id}/rotate`);

    await page.getByLabel(/^Reason/).fill('the partner moved away');
    await page.getByLabel('Type partner-sync to confirm').fill('partner-synk');
    app.watch.expectStatus(422);
    await app.submit('Revoke key');
    const confirm = page.getByLabel('Type partner-sync to confirm');
    await expect(confirm).toHaveAttribute('aria-invalid', 'true');
    await expect(confirm).toHaveAccessibleDescription(/Type the name of the key, partner-sync, to revoke it/);
    await expect(confirm).toHaveValue('partner-synk');
    await expect(page.getByLabel(/^Reason/)).toHaveValue('the partner moved away');
    expect((await api.test(key.secret)).status, 'nothing happened yet').toBe(200);

    await confirm.fill('partner-sync');
    await app.submit('Revoke key');
    const refused = await api.test(key.secret);
    expect([refused.status, refused.body.error.code]).toEqual([401, 'INVALID_API_KEY']);

    await expect(page).toHaveURL(`/keys/${key.id}`);
    await expect(main).toContainText('Revoked');
    await expect(page.getByRole('link', { name: 'Revoke key' })).toHaveCount(0);
    await expect(main).toContainText('API key revoked: the partner moved away');

    await app.visit('/audit');
    const row = page.getByRole('row').filter({ hasText: 'API key revoked' });
    await expect(row.getByRole('cell').nth(1)).toHaveText(OWNER.email);
    await expect(row.getByRole('cell').nth(3)).toHaveText('partner-sync');
    await expect(row.getByRole('cell').nth(4)).toHaveText('the partner moved away');
    await row.locator('summary').click();
    await expect(row).toContainText('api_key.revoked');
    await expect(row.getByRole('insertion').first()).toBeVisible();
    await expect(row.getByRole('deletion')).toHaveText('active');

    await app.visit(`/keys/${key.id}/revoke`);
    await expect(app.heading).toHaveText('partner-sync is revoked');
    await app.visit('/keys?state=revoked');
    await expect(page.getByRole('link', { name: 'partner-sync' })).toBeVisible();
    await app.visit('/keys?state=active');
    await expect(page.getByRole('link', { name: 'partner-sync' })).toHaveCount(0);
  });

  test('a key that nobody calls with is revoked without alarm, and Cancel leaves it alone', async ({ app, page, api }) => {
    const key = await app.createKey({ name: 'idle' });
    await app.enter(`/keys/${key.id}/revoke`);
    await expect(page.getByRole('main')).toContainText('No request of the last 30 days would have been refused.');
    await page.getByRole('link', { name: 'Cancel' }).click();
    await expect(app.heading).toHaveText('idle');
    expect((await api.test(key.secret)).status).toBe(200);
  });
});

test('a key revoked on the command line is refused within a second, and the audit log says why', async ({ app, page, api, server }) => {
  const key = await app.createKey({ name: 'leaked' });
  expect((await api.test(key.secret)).status).toBe(200);
  const ran = await server.installation.keystead(['keys', 'revoke', key.id, '--reason', 'found on a pastebin']);
  const since = Date.now();
  expect(ran).toMatchObject({ code: 0 });
  await expect.poll(async () => (await api.test(key.secret)).status, { intervals: [20], timeout: 5_000 }).toBe(401);
  const took = Date.now() - since;
  test.info().annotations.push({ type: 'measured', description: `${took} ms after the command had ended` });
  expect(took).toBeLessThan(1_000);

  await app.enter('/audit');
  const row = page.getByRole('row').filter({ hasText: 'API key revoked' });
  await expect(row.getByRole('cell').nth(1)).toContainText('command line');
  await expect(row.getByRole('cell').nth(3)).toHaveText('leaked');
  await expect(row.getByRole('cell').nth(4)).toHaveText('found on a pastebin');
});
