import { both, expect, OWNER, test } from '../fixtures';
import { run } from '../support/installation';

// The whole way through, on each database: docs name it as what the console is for.
both(() => {
  test('sign in, create a key, call with it, see the request, revoke it, be refused @journey', async ({ app, page, api }) => {
    await app.signIn();
    await page.getByRole('main').getByRole('link', { name: /^Create key/ }).first().click();
    await expect(app.heading).toHaveText('Create key');
    await app.ready();
    await page.getByLabel('Name', { exact: true }).fill('checkout-api');
    await page.getByLabel(/^Other permissions/).fill('orders:read');
    await app.submit('Create key');
    await expect(app.heading).toHaveText('Store the secret now');
    const secret = (await page.locator('#secret').textContent())!;
    const command = (await page.locator('#curl').textContent())!;
    const ran = await run('bash', ['-c', command]);
    expect(JSON.parse(ran.stdout)).toMatchObject({ valid: true, scopes: ['orders:read'] });
    expect(await api.verify({ credential: secret, scopes: ['orders:write'], method: 'POST', path: '/orders' })).toBe('INSUFFICIENT_SCOPE');

    await page.getByRole('checkbox', { name: /^I have stored it/ }).check();
    await app.submit('Go to the key');
    await expect(app.heading).toHaveText('checkout-api');
    const id = /key_[0-9a-f]{32}/.exec(page.url())![0];
    await expect
      .poll(async () => {
        await app.visit(`/usage?credential_id=${id}`);
        return page.getByRole('row').filter({ has: page.getByRole('cell') }).count();
      })
      .toBe(2);
    await expect(page.getByRole('row').filter({ hasText: 'POST /orders' })).toContainText('Missing permission');
    await expect(page.getByRole('row').filter({ hasText: 'GET /v1/auth/test' })).toContainText('Allowed');

    await app.visit(`/keys/${id}/revoke`);
    await expect(page.getByRole('main')).toContainText('1 request of the last 30 days would have been refused.');
    await page.getByLabel(/^Reason/).fill('rehearsal');
    await page.getByLabel('Type checkout-api to confirm').fill('checkout-api');
    await app.submit('Revoke key');
    expect((await api.test(secret)).body.error.code).toBe('INVALID_API_KEY');
    await expect(page.getByRole('main')).toContainText('API key revoked: rehearsal');

    await app.visit(`/audit?target_id=${id}`);
    const actions = page.getByRole('row').filter({ has: page.getByRole('cell') });
    await expect(actions).toHaveCount(2);
    await expect(actions.nth(0)).toContainText('API key revoked');
    await expect(actions.nth(0)).toContainText(OWNER.email);
    await expect(actions.nth(1)).toContainText('API key created');
  });
});
