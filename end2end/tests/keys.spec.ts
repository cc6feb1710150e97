import { both, expect, test, type Page } from '../fixtures';

const names = (page: Page) => page.getByRole('table').locator('tbody .name').allTextContents();

both((js) => {
  test('keys are found by name, prefix, id and state, and the address keeps the search', async ({ app, page }) => {
    const one = await app.createKey({ name: 'orders-export', kind: 'restricted' });
    const two = await app.createKey({ name: 'orders-import' });
    const owner = await app.owner();
    await owner.revoke(two);
    await app.enter('/keys');
    const search = async (q: string) => {
      await page.getByRole('searchbox', { name: 'Search keys' }).fill(q);
      const button = page.getByRole('button', { name: 'Search' });
      await app.through(() => button.click());
    };
    expect(await names(page)).toEqual(['orders-import', 'orders-export', 'gateway', 'bootstrap']);
    for (const q of ['orders-ex', one.secret.slice(0, 12), one.id, 'ORDERS-EXPORT']) {
      await search(q);
      await expect.poll(() => names(page), q).toEqual(['orders-export']);
    }
    await search('orders');
    await expect.poll(() => names(page)).toHaveLength(2);
    await page.getByLabel('State', { exact: true }).selectOption('Revoked');
    await search('orders');
    await expect(page).toHaveURL('/keys?q=orders&state=revoked');
    await expect.poll(() => names(page)).toEqual(['orders-import']);
    await page.reload();
    await app.ready();
    expect(await names(page)).toEqual(['orders-import']);
    await expect(page.getByLabel('State', { exact: true })).toHaveValue('revoked');
    await page.goBack();
    await app.ready();
    await expect.poll(() => names(page)).toHaveLength(2);

    await search('nothing-like-it');
    await expect(page.getByText('No key matches these filters')).toBeVisible();
    await page.getByRole('main').getByRole('link', { name: 'Clear filters' }).click();
    await expect(page).toHaveURL('/keys');
    await expect.poll(() => names(page)).toHaveLength(4);
    await expect(page.getByRole('searchbox', { name: 'Search keys' })).toHaveValue('');
  });

  test('the list is ordered by its heads and filtered by kind, permission and owner, all in the address', async ({ app, page }) => {
    await app.createKey({ name: 'zebra', kind: 'restricted', scopes: 'orders:read' });
    await app.createKey({ name: 'aardvark', expires: '7' });
    await app.enter('/keys');
    const head = (name: string) => page.getByRole('columnheader', { name });
    await app.through(() => head('Name').getByRole('link').click());
    await expect(page).toHaveURL('/keys?sort=name');
    expect(await names(page)).toEqual(['aardvark', 'bootstrap', 'gateway', 'zebra']);
    await expect(head('Name')).toHaveAttribute('aria-sort', 'ascending');
    await app.through(() => head('Expires').getByRole('link').click());
    expect((await names(page))[0]).toBe('aardvark');
    await page.getByLabel('Kind', { exact: true }).selectOption('Restricted key');
    await page.getByLabel('Permission', { exact: true }).selectOption('orders:read');
    await page.getByLabel('Owner', { exact: true }).fill('owner@acme.test');
    await app.submit('Search');
    expect(await names(page)).toEqual(['zebra']);
    const query = new URL(page.url()).searchParams;
    expect(['kind', 'scope', 'owner', 'sort'].map((n) => query.get(n))).toEqual(['restricted', 'orders:read', 'owner@acme.test', 'expires']);
    await page.getByLabel('Owner', { exact: true }).fill('nobody@acme.test');
    await app.submit('Search');
    await expect(page.getByText('No key matches these filters')).toBeVisible();
    await page.goBack();
    await app.ready();
    expect(await names(page)).toEqual(['zebra']);
  });

  test('a queue names the next step of each key', async ({ app, page }) => {
    const soon = new Date(Date.now() + 5 * 86_400_000).toISOString().slice(0, 16);
    await app.createKey({ name: 'ends-soon', expires: 'custom', expires_at: soon });
    await app.enter('/keys');
    const tabs = page.getByRole('navigation', { name: 'Keys that wait for somebody' });
    await app.through(() => tabs.getByRole('link', { name: 'Expiring 1' }).click());
    await expect(page).toHaveURL('/keys?queue=expiring');
    expect(await names(page)).toEqual(['ends-soon']);
    await expect(tabs.getByRole('link', { name: 'Expiring 1' })).toHaveAttribute('aria-current', 'page');
    await app.through(() => page.getByRole('link', { name: 'Extend: ends-soon' }).click());
    await expect(app.heading).toHaveText('Edit ends-soon');
    await page.getByText('90 days', { exact: true }).click();
    await app.submit('Save changes');
    await expect(page.getByRole('main')).toContainText('The changes are saved.');
    await app.visit('/keys?queue=expiring');
    await expect(page.getByRole('heading', { name: 'No key expires within 14 days' })).toBeVisible();
  });

  test('more keys than a page holds are a page away, and fifteen stand above the fold', async ({ app, page }) => {
    for (let n = 1; n <= 55; n++) await app.createKey({ name: `service-${n}` });
    await app.enter('/keys');
    expect(await names(page)).toEqual(Array.from({ length: 50 }, (_, n) => `service-${55 - n}`));
    const above = await page.getByRole('table').locator('tbody tr').evaluateAll((rows) => rows.filter((r) => r.getBoundingClientRect().bottom <= innerHeight).length);
    expect(above).toBeGreaterThanOrEqual(15);
    await app.createKey({ name: 'newest' });
    await page.getByRole('link', { name: 'Next page' }).click();
    await expect.poll(() => names(page)).toEqual(['service-5', 'service-4', 'service-3', 'service-2', 'service-1', 'gateway', 'bootstrap']);
    await page.getByRole('link', { name: 'First page' }).click();
    await expect.poll(async () => (await names(page))[0]).toBe('newest');
  });

  test('the column heads stay in sight while the list is scrolled', async ({ app, page }) => {
    for (let n = 1; n <= 45; n++) await app.createKey({ name: `service-${n}` });
    await app.enter('/keys');
    await page.getByRole('link', { name: 'service-1', exact: true }).scrollIntoViewIfNeeded();
    const head = page.getByRole('columnheader', { name: 'Name' });
    await expect(head).toBeInViewport({ ratio: 1 });
    const covered = await head.evaluate((e) => {
      const r = e.getBoundingClientRect();
      return !e.contains(document.elementFromPoint(r.left + 20, r.top + r.height / 2));
    });
    expect(covered).toBe(false);
    await expect(page.getByRole('banner')).toBeInViewport({ ratio: 1 });
  });

  test('times are exact for machines, and say how long ago it was where script runs', async ({ app, page, api }) => {
    const { secret } = await app.createKey({ name: 'timed' });
    await api.test(secret);
    await app.enter();
    await expect
      .poll(async () => {
        await app.visit('/keys?q=timed');
        return page.locator('tbody time').count();
      })
      .toBeGreaterThanOrEqual(3);
    const used = page.getByRole('row').filter({ hasText: 'timed' }).locator('td:nth-child(7) time');
    await expect(used).toHaveAttribute('datetime', /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/);
    await expect(used).toHaveAttribute('title', / UTC$/);
    await expect(used).toHaveText(js ? /^\d+ s ago$/ : /^\d+ [A-Z][a-z]{2} \d{4}$/);
  });

  test('the first visit offers the first key and a command', async ({ app, page }) => {
    await app.enter('/keys');
    await app.submit('Test', page.getByRole('banner'));
    await expect(page.getByRole('heading', { name: 'No test keys yet' })).toBeVisible();
    await expect(page.getByRole('link', { name: /^Create test key/ })).toHaveAttribute('href', '/keys/new');
    await expect(page.locator('#curl')).toContainText('/v1/auth/test');
  });
});

test('fingers find controls of 44 pixels', async ({ another }) => {
  const app = await another({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await app.createKey({ name: 'touched' });
  for (const path of ['/login', '/', '/keys', '/keys/new', '/usage', '/audit', '/leaks', '/settings/scopes', '/settings/allowlist']) {
    if (path !== '/login') await app.enter();
    await app.visit(path);
    const small = await app.page.evaluate(() => {
      const controls = document.querySelectorAll<HTMLElement>('.btn, .input, .select, .textarea, .seg :is(button, label, a), .tabs a, .kinds label');
      return [...controls]
        .filter((e) => e.checkVisibility({ visibilityProperty: true }) && !e.closest('.code, .affix .btn, .copyid'))
        .map((e) => ({ what: e.outerHTML.slice(0, 90), height: Math.round((e.closest('.affix') ?? e).getBoundingClientRect().height * 10) / 10 }))
        .filter((e) => e.height < 44);
    });
    expect.soft(small, path).toEqual([]);
  }
});
