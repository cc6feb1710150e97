import { both, expect, OWNER, secretIn, test } from '../fixtures';
import { becomes } from '../support/roles';

both(() => {
  test('support pastes a text, sees whose key it holds, tells the owner, revokes it and closes the report', async ({ app, page, api, server }) => {
    const key = await app.createKey({ name: 'stock-report', scopes: 'stock:read' });
    for (let n = 0; n < 5; n++) await api.verify({ credential: key.secret, ip: `203.0.113.${n % 2}`, path: '/v1/stock', user_agent: 'stock-job/3.1' });
    await expect.poll(async () => (await (await app.owner()).get('/usage')).text()).toContain('stock-report');
    await becomes(server, 'support');
    await app.visit('/login');
    await page.getByLabel('Email').fill(OWNER.email);
    await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
    await app.submit('Sign in');
    await expect(page, 'this is where support works').toHaveURL('/leaks');
    await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link')).toHaveText(['Leak desk']);

    await page.getByLabel('Text that may hold a key').fill(`+++ b/jobs/report.sh\n set -eu\n+REPORT_KEY=${key.secret}\n`);
    await app.submit('Check text');
    const match = page.getByRole('region', { name: 'stock-report' });
    await expect(match).toContainText('line 3');
    await expect(match).toContainText('Still works');
    await expect(match).toContainText(OWNER.email);
    await expect(match).toContainText('stock-job/3.1');
    await expect(match.locator('.fig__v').first()).toHaveText('5');
    expect(await page.content(), 'what was pasted is not shown again').not.toContain(key.secret);
    expect(await page.getByLabel('Text that may hold a key').inputValue()).toBe('');

    await match.getByLabel(/^Where it was found/).fill('a public gist');
    await expect(match.getByRole('checkbox', { name: 'Tell the owner by mail' })).toBeChecked();
    await app.submit('Report leak');
    await expect(app.heading).toHaveText('Leak of stock-report');
    const main = page.getByRole('main');
    await expect(main).toContainText('a public gist');
    await expect(main).toContainText('5 requests of the last 30 days would have been refused.');
    await expect(page.getByRole('button', { name: 'Tell the owner' }), 'told already').toHaveCount(0);

    app.watch.expectStatus(422);
    await app.submit('Close report');
    const why = page.getByLabel(/^Why it may stay alive/);
    await expect(why).toHaveAttribute('aria-invalid', 'true');
    await expect(why).toHaveAccessibleDescription(/still works/);

    await page.getByLabel(/^Reason/).fill('published');
    await page.getByLabel('Type stock-report to confirm').fill('stock');
    await app.submit('Revoke key');
    await expect(page.getByLabel(/^Reason/)).toHaveValue('published');
    await page.getByLabel('Type stock-report to confirm').fill('stock-report');
    await app.submit('Revoke key');
    expect((await api.test(key.secret)).body.error.code, 'the very next request').toBe('INVALID_API_KEY');
    await expect(main).toContainText('API key revoked: published');
    await app.submit('Close report');
    await expect(main).toContainText('Leak closed');
    await expect(page.getByRole('button', { name: 'Close report' })).toHaveCount(0);

    await app.visit('/leaks');
    await expect(main).toContainText('No report waits for anybody');
    await app.through(() => page.getByRole('link', { name: 'Closed' }).click());
    await expect(page.getByRole('link', { name: 'stock-report' })).toBeVisible();
    await app.visit('/leaks?state=all');
    expect(secretIn(await page.content())).toBeUndefined();
  });

  test('a text without a key of ours says so, and an empty one is sent back', async ({ app, page, foreignKey }) => {
    await app.enter('/leaks');
    await page.getByLabel('Text that may hold a key').fill(`nothing but ${foreignKey}`);
    await app.submit('Check text');
    await expect(page.getByText('No key of yours is in the text')).toBeVisible();
    await expect(page.getByRole('main')).toContainText('1 well-formed key is not one of yours');
    app.watch.expectStatus(422);
    await app.submit('Check another text');
    await expect(page.getByLabel('Text that may hold a key')).toHaveAccessibleDescription(/Paste the text that may hold a key/);
  });

  test('who may open a key is led from its leak to the page that revokes it', async ({ app, page }) => {
    const key = await app.createKey({ name: 'leaky' });
    await app.enter('/leaks');
    await page.getByLabel('Text that may hold a key').fill(key.secret);
    await app.submit('Check text');
    await app.through(() => page.getByRole('link', { name: 'Revoke key' }).click());
    await expect(page).toHaveURL(`/keys/${key.id}/revoke`);
  });
});

test('a megabyte is searched, more is refused with a page', async ({ app, page }) => {
  const key = await app.createKey({ name: 'deep' });
  const owner = await app.owner();
  const long = await owner.post('/leaks', { text: `${'%\n'.repeat(500_000)}${key.secret}` });
  expect([long.status, (await long.text()).includes('line 500001')]).toEqual([200, true]);
  const longer = await owner.post('/leaks', { text: 'x'.repeat(1_048_577) });
  expect(longer.status).toBe(413);
  await app.enter('/leaks');
  await expect(page.getByRole('main')).toContainText('up to 1 MB');
});
