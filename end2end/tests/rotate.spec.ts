import { both, expect, secretIn, test } from '../fixtures';

both((js) => {
  test('a rotation reveals the new secret once, both work, the cockpit names who is left, and the old one is retired', async ({ app, page, api }) => {
    const key = await app.createKey({ name: 'partner-sync', scopes: 'contacts:read' });
    await app.enter(`/keys/${key.id}`);
    await app.through(() => page.getByRole('link', { name: 'Rotate' }).click());
    await expect(app.heading).toHaveText('Rotate partner-sync');
    for (const overlap of ['None', '1 hour', '1 day', '7 days']) await expect(page.getByRole('radio', { name: overlap })).toBeAttached();
    await page.getByText('7 days', { exact: true }).click();
    await app.submit('Rotate key');

    await expect(app.heading).toHaveText('Store the secret now');
    await expect(page.getByRole('main')).toContainText('partner-sync has a new secret');
    await expect(page.getByRole('main')).toContainText('The old secret works until ');
    const fresh = (await page.locator('#secret').textContent())!;
    expect(fresh).not.toBe(key.secret);
    await expect(page.locator('#secret')).toBeHidden();
    expect([(await api.test(key.secret)).status, (await api.test(fresh)).status]).toEqual([200, 200]);
    await page.getByRole('checkbox', { name: /^I have stored it/ }).check();

    await test.step('s31: sent again, the form replaces nothing and shows nothing', async () => {
      app.watch.expectStatus(409);
      await app.through(() => page.reload());
      await expect(page.getByRole('alert')).toContainText('The secret was replaced since this form was opened');
      expect(secretIn(await page.content())).toBeUndefined();
      expect((await api.test(fresh)).status).toBe(200);
    });

    await api.verify({ credential: key.secret, ip: '203.0.113.58', user_agent: 'report-job/1.9', path: '/v1/invoices' });
    await api.verify({ credential: fresh, ip: '203.0.113.24', user_agent: 'billing-worker/4.2', path: '/v1/invoices' });
    await expect
      .poll(async () => {
        await app.visit(`/keys/${key.id}`);
        return page.getByRole('main').textContent();
      })
      .toContain('report-job/1.9');
    const cockpit = page.getByRole('region', { name: /^Rotation/ });
    await expect(cockpit).toContainText('Not safe to retire yet.');
    await expect(cockpit).toContainText('203.0.113.58');
    await expect(cockpit, 'who moved on is not named').not.toContainText('billing-worker/4.2');
    if (js) await expect(cockpit.getByRole('heading')).toContainText(/in [67] days/);

    await app.through(() => cockpit.getByRole('link', { name: 'Retire now' }).click());
    await expect(app.heading).toHaveText('Retire the old secret now?');
    await expect(page.getByRole('main')).toContainText(/requests? came with the old secret since the rotation/);
    await app.submit('Retire old secret');
    await expect(page).toHaveURL(`/keys/${key.id}?done=retired`);
    await expect(page.getByRole('main')).toContainText('The old secret is retired.');
    expect([(await api.test(key.secret)).status, (await api.test(fresh)).status]).toEqual([401, 200]);
    await expect(page.getByRole('region', { name: /^Rotation/ })).toHaveCount(0);
  });

  test('without an overlap the old secret is refused at once, and a quiet one is safe to retire in one step', async ({ app, page, api }) => {
    const leaked = await app.createKey({ name: 'leaked' });
    await app.enter(`/keys/${leaked.id}/rotate`);
    await page.getByText('None', { exact: true }).click();
    await expect(page.getByText('The old secret is refused at once, within a second.')).toBeVisible();
    await app.submit('Rotate key');
    await expect(page.getByRole('main')).toContainText('The old secret is refused from now on.');
    expect((await api.test(leaked.secret)).status).toBe(401);
    await page.getByRole('checkbox', { name: /^I have stored it/ }).check();

    const quiet = await app.createKey({ name: 'quiet' });
    await app.visit(`/keys/${quiet.id}/rotate`);
    await app.submit('Rotate key');
    await page.getByRole('checkbox', { name: /^I have stored it/ }).check();
    await app.submit('Go to the key');
    const cockpit = page.getByRole('region', { name: /^Rotation/ });
    await expect(cockpit).toContainText('Safe to retire. Nobody has called with the old secret since the rotation.');
    await app.submit('Retire old secret', cockpit);
    expect((await api.test(quiet.secret)).status).toBe(401);
  });

  test('the advisor narrows a key to what it used', async ({ app, page, api }) => {
    const key = await app.createKey({ name: 'too-much', scopes: 'orders:read orders:write users:read' });
    for (let n = 0; n < 3; n++) await api.verify({ credential: key.secret, scopes: ['orders:read'], ip: '203.0.113.7', path: '/orders' });
    await app.enter();
    await expect
      .poll(async () => {
        await app.visit(`/keys/${key.id}`);
        return page.getByRole('main').textContent();
      })
      .toContain('Narrow to what is used');
    const advisor = page.getByRole('region', { name: 'Permissions' });
    await expect(advisor.getByRole('row').filter({ hasText: 'orders:read' })).toContainText('3');
    await expect(advisor.getByRole('row').filter({ hasText: 'users:read' })).toContainText('Not used in 24 hours');
    await advisor.getByRole('link', { name: 'Narrow to what is used' }).click();
    await expect(page.getByText('Narrow this key?')).toBeVisible();
    await app.submit('Narrow key');
    await expect(page.getByRole('main')).toContainText('The key is narrowed to what it used.');
    expect(await api.verify({ credential: key.secret, scopes: ['orders:read'] })).toBe('VALID');
    expect(await api.verify({ credential: key.secret, scopes: ['users:read'] })).toBe('INSUFFICIENT_SCOPE');
  });

  test('an edit is previewed before it breaks something, then saved', async ({ app, page, api }) => {
    const key = await app.createKey({ name: 'previewed', scopes: 'orders:read orders:write' });
    for (let n = 0; n < 4; n++) await api.verify({ credential: key.secret, scopes: [n < 3 ? 'orders:write' : 'orders:read'], ip: `203.0.113.${n}`, user_agent: 'job/1' });
    await app.enter();
    await expect.poll(async () => (await (await app.owner()).get(`/keys/${key.id}/revoke`)).text()).toContain('4 requests');
    await app.visit(`/keys/${key.id}/edit`);
    await page.getByRole('radiogroup', { name: 'Permission on orders' }).getByText('Read', { exact: true }).click();
    await page.getByLabel(/^Allowed addresses/).fill('203.0.113.3');
    await app.submit('Preview impact');
    const impact = page.getByRole('region', { name: 'Impact' });
    await expect(impact).toContainText('3 requests of the last 30 days would have been refused by the new permissions.');
    await expect(impact).toContainText('3 requests of the last 30 days would have been refused by the new addresses.');
    await expect(impact).toContainText('203.0.113.2');
    await expect(page.getByLabel(/^Allowed addresses/), 'what was typed stays').toHaveValue('203.0.113.3');
    expect(await api.verify({ credential: key.secret, scopes: ['orders:write'], ip: '203.0.113.9' }), 'nothing is saved').toBe('VALID');
    await app.submit('Save changes');
    await expect(page.getByRole('main')).toContainText('The changes are saved.');
    expect(await api.verify({ credential: key.secret, scopes: ['orders:write'], ip: '203.0.113.3' })).toBe('INSUFFICIENT_SCOPE');
    expect(await api.verify({ credential: key.secret, scopes: ['orders:read'], ip: '203.0.113.9' })).toBe('IP_NOT_ALLOWED');
  });

  test('a key is switched off, and the way back is one click', async ({ app, page, api }) => {
    const key = await app.createKey({ name: 'switched' });
    await app.enter(`/keys/${key.id}`);
    await app.submit('Disable');
    await expect(page.getByRole('main')).toContainText('The key is disabled.');
    expect((await api.test(key.secret)).status).toBe(401);
    await app.submit('Undo');
    await expect(page.getByRole('main')).toContainText('The key is enabled.');
    expect((await api.test(key.secret)).status).toBe(200);
  });
});
