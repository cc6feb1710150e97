import { both, expect, test } from '../fixtures';

both((js) => {
  test('permissions are added, described and deleted, and one that a key holds stays', async ({ app, page }) => {
    await app.enter('/settings/scopes');
    await expect(app.heading).toHaveText('Permissions');
    await page.getByLabel('Permission', { exact: true }).fill('Orders Read');
    await page.getByLabel('What it permits').fill('Read orders');
    app.watch.expectStatus(422, 409);
    await app.submit('Add permission');
    const name = page.getByLabel('Permission', { exact: true });
    await expect(name).toHaveValue('Orders Read');
    await expect(name).toHaveAccessibleDescription(/Not a permission/);
    await expect(page.getByLabel('What it permits')).toHaveValue('Read orders');
    await name.fill('orders:read');
    await app.submit('Add permission');
    const row = page.getByRole('row').filter({ hasText: 'orders:read' });
    await expect(row).toContainText('Read orders');

    await app.through(() => page.getByRole('link', { name: 'Edit orders:read' }).click());
    await page.getByLabel('What it permits').fill('See orders');
    await app.submit('Save description');
    await expect(row).toContainText('See orders');

    await app.createKey({ name: 'holder', scopes: 'orders:read' });
    await app.through(() => page.getByRole('link', { name: 'Edit orders:read' }).click());
    await app.submit('Delete permission');
    await expect(page.getByRole('alert')).toContainText('1 key holds orders:read');
    await app.visit('/settings/scopes?edit=delete');
    await app.submit('Delete permission');
    await expect(page.getByRole('row').filter({ hasText: 'Delete every resource' })).toHaveCount(0);
  });

  test('a new allowlist shows what it breaks and warns who would shut themselves out', async ({ app, page, api }) => {
    const { secret } = await app.createKey({ name: 'caller', scopes: 'read' });
    for (const ip of ['203.0.113.7', '198.51.100.9']) await api.verify({ credential: secret, ip, path: '/v2/orders', user_agent: 'job/1' });
    await expect.poll(async () => (await (await app.owner()).get('/usage')).text()).toContain('198.51.100.9');
    await app.enter('/settings/allowlist');
    const list = page.getByLabel(/^Allowed addresses/);
    app.watch.expectStatus(422);
    await list.fill('203.0.113.7/24');
    await app.submit('Review change');
    await expect(list).toHaveValue('203.0.113.7/24');
    await expect(list).toHaveAccessibleDescription(/Did you mean 203\.0\.113\.0\/24\?/);

    await list.fill('203.0.113.0/24');
    await app.submit('Review change');
    const main = page.getByRole('main');
    await expect(main).toContainText('1 of 2 allowed requests of the last 30 days would have been refused.');
    await expect(page.getByRole('row').filter({ hasText: '198.51.100.9' })).toContainText('/v2/orders');
    await expect(main).toContainText(/Your own address, .*, is not on the list/);
    await app.submit('Save list');
    await expect(page.getByRole('checkbox', { name: 'Leave my address out' })).toHaveAttribute('aria-invalid', 'true');
    await page.getByRole('checkbox', { name: 'Leave my address out' }).check();
    await app.submit('Save list');
    await expect(page.getByRole('status').filter({ hasText: 'Saved.' })).toBeVisible();
    expect(await api.verify({ credential: secret, ip: '198.51.100.9' }), 'the very next request').toBe('IP_NOT_ALLOWED');
    await expect(list).toHaveValue('203.0.113.0/24');

    if (js) {
      await page.getByRole('button', { name: /^Add my address/ }).click();
      await app.submit('Review change');
      await expect(main).not.toContainText('is not on the list.');
    }
    await list.fill('');
    await app.submit(/^Review/);
    await expect(main).toContainText('Live keys may then be used from anywhere.');
    await app.submit('Save list');
    expect(await api.verify({ credential: secret, ip: '198.51.100.9' })).toBe('VALID');
  });
});
