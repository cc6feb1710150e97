import { both, expect, test } from '../fixtures';

both((js) => {
  test('several keys are chosen, weighed together and revoked with a reason', async ({ app, page, api }) => {
    const keys = [];
    for (const name of ['alpha', 'beta', 'gamma', 'delta']) keys.push(await app.createKey({ name, scopes: 'read' }));
    for (let n = 0; n < 3; n++) await api.verify({ credential: keys[n % 2].secret, ip: `203.0.113.${n}`, user_agent: 'job/1' });
    await app.enter();
    await expect.poll(async () => (await (await app.owner()).get(`/keys/${keys[0].id}/revoke`)).text()).toContain('2 requests');
    await app.visit('/keys');
    const bar = page.locator('.bulk');
    await expect(bar, 'nothing is chosen yet').toBeHidden();
    await page.getByRole('checkbox', { name: 'Select alpha' }).check();
    await page.getByRole('checkbox', { name: 'Select beta' }).check();
    await expect(bar).toBeVisible();
    await app.through(() => bar.getByRole('button', { name: 'Revoke selected' }).click());
    await expect(app.heading).toHaveText('Revoke 2 keys?');
    const main = page.getByRole('main');
    await expect(main).toContainText('3 requests of the last 30 days would have been refused.');
    await expect(main).toContainText('2 of the keys are in use, by 3 callers');

    await page.getByLabel(/^Reason/).fill('moved to one key');
    await page.getByLabel('Type revoke 2 keys to confirm').fill('yes');
    app.watch.expectStatus(422);
    await app.submit('Revoke 2 keys');
    const confirm = page.getByLabel('Type revoke 2 keys to confirm');
    await expect(confirm).toHaveAccessibleDescription('Type revoke 2 keys to go on.');
    await expect(page.getByLabel(/^Reason/)).toHaveValue('moved to one key');
    expect((await api.test(keys[0].secret)).status).toBe(200);
    await confirm.fill('revoke 2 keys');
    await app.submit('Revoke 2 keys');
    await expect(page).toHaveURL('/keys?revoked=2');
    await expect(main).toContainText('2 keys are revoked.');
    expect(await Promise.all(keys.map(async (k) => (await api.test(k.secret)).status))).toEqual([401, 401, 200, 200]);
    await app.visit('/audit');
    await expect(page.getByRole('row').filter({ hasText: 'moved to one key' })).toHaveCount(2);
  });

  test('everything that the filters match is chosen by a link', async ({ app, page }) => {
    for (const name of ['job-1', 'job-2', 'other']) await app.createKey({ name });
    await app.enter('/keys?q=job');
    await page.getByRole('checkbox', { name: 'Select job-1' }).check();
    await app.through(() => page.getByRole('link', { name: 'All that match' }).click());
    await expect(app.heading).toHaveText('Revoke 2 keys?');
    await expect(page.getByRole('main')).not.toContainText('other');
  });

  if (!js) return;

  test('the head is half ticked, ticks all and none, and Shift ticks a range', async ({ app, page }) => {
    for (const name of ['k1', 'k2', 'k3', 'k4', 'k5']) await app.createKey({ name });
    await app.enter('/keys?q=k');
    const head = page.getByRole('checkbox', { name: 'Select all keys of this page' });
    const box = (name: string) => page.getByRole('checkbox', { name: `Select ${name}`, exact: true });
    const half = () => head.evaluate((e) => (e as HTMLInputElement).indeterminate);
    const rows = await page.locator('[data-pick]').count();
    await box('k4').check();
    expect(await half()).toBe(true);
    await expect(page.locator('[data-picked]')).toHaveText('1 selected');
    await box('k2').click({ modifiers: ['Shift'] });
    await expect(page.locator('[data-picked]')).toHaveText('3 selected');
    await expect(box('k3')).toBeChecked();
    await expect(box('k5')).not.toBeChecked();
    await head.check();
    await expect(page.locator('[data-picked]')).toHaveText(`${rows} selected`);
    expect(await half()).toBe(false);
    await box('k1').uncheck();
    expect(await half()).toBe(true);
    await page.getByRole('button', { name: 'Clear the selection' }).click();
    await expect(page.locator('.bulk')).toBeHidden();
    await expect(head).not.toBeChecked();
  });
});
