import { readFile } from 'node:fs/promises';
import { both, expect, OWNER, test } from '../fixtures';

both(() => {
  test('the audit log is filtered, tells what changed, and its values lead on', async ({ app, page }) => {
    const owner = await app.owner();
    const [one, two] = [await app.createKey({ name: 'one' }), await app.createKey({ name: 'two' })];
    await owner.revoke(one, 'replaced by two');
    await app.enter('/audit');
    const rows = page.getByRole('row').filter({ has: page.getByRole('cell') });
    await page.getByLabel('Action', { exact: true }).selectOption('API key revoked');
    await app.submit('Filter');
    await expect(rows).toHaveCount(1);
    await rows.first().locator('summary').click();
    await expect(rows.getByRole('deletion')).toHaveText('active');
    await expect(rows.locator('ins').filter({ hasText: /^revoked$/ })).toBeVisible();
    await app.through(() => rows.getByRole('link', { name: one.id }).click());
    await app.through(() => page.getByRole('link', { name: 'Remove the filter action' }).click());
    await expect(rows).toHaveCount(2);
    await expect(page.locator('.token')).toContainText('target=one');

    await page.getByLabel('Id of what was changed').fill(two.id);
    await page.getByLabel('Who: name or id').fill(OWNER.email);
    await app.submit('Filter');
    await expect(rows).toHaveCount(1);
    await expect(rows).toContainText('two');
    const shared = page.url();
    await page.getByLabel('Before, UTC').fill('2026-01-01T00:00');
    await app.submit('Filter');
    await expect(page.getByText('No change matches these filters')).toBeVisible();
    await app.visit(shared.replace(app.server.url, ''));
    await expect(rows).toHaveCount(1);
  });

  test('the chain is said to be signed, and is verified on request', async ({ app, page }) => {
    await app.createKey({ name: 'linked' });
    await app.enter('/audit');
    await expect(page.getByText(/^Chain of \d+ events/)).toBeVisible();
    await app.through(() => page.getByRole('link', { name: 'Verify the chain' }).click());
    await expect(page.getByRole('status').filter({ hasText: 'The chain is whole' })).toBeVisible();
  });

  test('an export holds the filtered changes', async ({ app, page }) => {
    for (const name of ['a', 'b', 'c']) await app.createKey({ name });
    await app.enter('/audit?action=api_key.created');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export NDJSON' }).click()]);
    const rows = (await readFile(await download.path(), 'utf8')).trim().split('\n').map((l) => JSON.parse(l));
    expect(rows.map((r) => r.target.name)).toEqual(['c', 'b', 'a', 'gateway', 'bootstrap']);
    expect(new Set(rows.map((r) => r.action))).toEqual(new Set(['api_key.created']));
  });
});
