import { both, expect, test, type Page } from '../fixtures';

/** The log as it is read: outcome, reason, request, key. */
async function rows(page: Page): Promise<{ outcome: string; reason: string; request: string; key: string }[]> {
  const all = page.getByRole('table').getByRole('row').filter({ has: page.getByRole('cell') });
  return all.evaluateAll((trs) =>
    trs.map((tr) => {
      const cells = [...tr.querySelectorAll('td')];
      const text = (n: number) => cells[n]?.textContent?.trim() ?? '';
      return { outcome: text(1), reason: text(2), request: cells[3]?.querySelector('summary')?.textContent?.trim() ?? '', key: text(4) };
    }),
  );
}

both((js) => {
  test('every request shows within two seconds, with its reason', async ({ app, page, api, foreignKey, server }) => {
    const owner = await app.owner();
    const soon = new Date(Date.now() + 2_000).toISOString().slice(0, 19);
    const [plain, walled, ends, gone, testing] = await Promise.all([
      owner.createKey({ name: 'plain', scopes: 'orders:read' }),
      owner.createKey({ name: 'walled', scopes: 'read', allowed_ips: '203.0.113.0/24' }),
      owner.createKey({ name: 'ends', scopes: 'read', expires: 'custom', expires_at: soon }),
      owner.createKey({ name: 'gone', scopes: 'read' }),
      owner.createKey({ name: 'testing', scopes: 'read', environment: 'test' }),
    ]);
    await owner.revoke(gone);
    await page.waitForTimeout(Math.max(0, Date.parse(`${soon}Z`) + 50 - Date.now()));

    const asked = [
      { name: '/allowed', credential: plain.secret, scopes: ['orders:read'], code: 'VALID', reason: 'Allowed', key: 'plain' },
      { name: '/scope', credential: plain.secret, scopes: ['orders:write'], code: 'INSUFFICIENT_SCOPE', reason: 'Missing permission', key: 'plain' },
      { name: '/address', credential: walled.secret, ip: '198.51.100.7', code: 'IP_NOT_ALLOWED', reason: 'Address not allowed', key: 'walled' },
      { name: '/expired', credential: ends.secret, code: 'EXPIRED', reason: 'The key has expired', key: 'ends' },
      { name: '/revoked', credential: gone.secret, code: 'REVOKED', reason: 'The key is revoked', key: 'gone' },
      { name: '/typo', credential: `${plain.secret.slice(0, -1)}!`, code: 'MALFORMED', reason: 'Not a key: wrong form or checksum', key: 'no key matched' },
      { name: '/unknown', credential: foreignKey, code: 'NOT_FOUND', reason: 'Unknown key', key: 'no key matched' },
    ];
    for (const { name, code, reason: _reason, key: _key, ...question } of asked) {
      expect(await api.verify({ ...question, method: 'GET', path: `${name}?secret=1` }), name).toBe(code);
    }
    expect(await api.verify({ credential: testing.secret, path: '/environment' })).toBe('ENVIRONMENT_MISMATCH');
    expect((await api.test(plain.secret)).status).toBe(200);
    expect((await api.test('sk_live_nonsense')).body.error.code).toBe('INVALID_API_KEY');

    const since = Date.now();
    const last = () => owner.get('/usage').then((r) => r.text());
    await expect.poll(async () => (await last()).split('GET /v1/auth/test').length, { intervals: [50], timeout: 5_000 }).toBeGreaterThan(2);
    const took = Date.now() - since;
    test.info().annotations.push({ type: 'measured', description: `${took} ms until the log showed the last request` });
    expect(took).toBeLessThan(2_000);

    await app.enter('/usage');
    const shown = await rows(page);
    for (const { name, code, reason, key } of asked) {
      const outcome = code === 'VALID' ? 'Allowed' : 'Denied';
      expect(shown, name).toContainEqual({ outcome, reason, request: `GET ${name}`, key });
    }
    expect(shown).toContainEqual({ outcome: 'Allowed', reason: 'Allowed', request: 'GET /v1/auth/test', key: 'plain' });
    expect(shown).toContainEqual(expect.objectContaining({ outcome: 'Denied', request: 'GET /v1/auth/test', key: 'no key matched' }));
    expect(await page.content(), 'a path is logged without its query').not.toContain('secret=1');

    await test.step('requests with test keys stand in the test log', async () => {
      expect(shown.map((r) => r.key)).not.toContain('testing');
      await owner.enter(page.context());
      await app.submit('Test', page.getByRole('banner'));
      expect(await rows(page)).toEqual([expect.objectContaining({ reason: 'Wrong environment', key: 'testing' })]);
      await app.submit('Live', page.getByRole('banner'));
    });

    await test.step('a row opens and says more', async () => {
      await page.getByText('GET /scope', { exact: true }).click();
      const row = page.getByRole('row').filter({ hasText: 'GET /scope' });
      await expect(row.getByText('INSUFFICIENT_SCOPE')).toBeVisible();
      await expect(row.getByText('orders:write')).toBeVisible();
      await expect(row.getByText(/^req_[0-9a-f]{32}$/)).toBeVisible();
    });
  });

  test('the log is filtered by key, by outcome and by request id, and the address keeps the choice', async ({ app, page, api }) => {
    const [one, two] = [await app.createKey({ name: 'one', scopes: 'read' }), await app.createKey({ name: 'two', scopes: 'read' })];
    for (const { secret } of [one, two]) {
      await api.verify({ credential: secret, path: '/good', method: 'GET' });
      await api.verify({ credential: secret, path: '/bad', method: 'GET', scopes: ['write'] });
    }
    await api.verify({ credential: two.secret, path: '/found', method: 'GET' }, 'trace-4711');
    await app.enter();
    await expect.poll(async () => (await (await app.owner()).get('/usage?request_id=trace-4711')).text()).toContain('GET /found');

    await app.visit('/usage');
    expect(await rows(page)).toHaveLength(5);
    const filter = async (act: () => Promise<unknown>) => {
      await act();
      const button = page.getByRole('button', { name: 'Filter' });
      await app.through(() => button.click());
    };
    await filter(() => page.getByLabel('Key', { exact: true }).selectOption({ label: `one …${one.secret.slice(-4)}` }));
    // Without script the browser sends the empty fields too.
    await expect(page).toHaveURL(js ? `/usage?credential_id=${one.id}` : new RegExp(`credential_id=${one.id}`));
    await expect.poll(() => rows(page)).toHaveLength(2);
    expect(new Set((await rows(page)).map((r) => r.key))).toEqual(new Set(['one']));

    await filter(() => page.getByLabel('Outcome', { exact: true }).selectOption('Denied'));
    await expect(page).toHaveURL(/outcome=denied/);
    await expect.poll(() => rows(page)).toEqual([{ outcome: 'Denied', reason: 'Missing permission', request: 'GET /bad', key: 'one' }]);

    await test.step('reloading, Back and a shared link restore it', async () => {
      const shared = page.url();
      await page.reload();
      await app.ready();
      expect(await rows(page)).toHaveLength(1);
      await expect(page.getByLabel('Outcome', { exact: true })).toHaveValue('denied');
      await expect(page.getByLabel('Key', { exact: true })).toHaveValue(one.id);
      await page.goBack();
      await app.ready();
      await expect.poll(() => rows(page)).toHaveLength(2);
      await expect(page.getByLabel('Outcome', { exact: true })).toHaveValue('');
      await expect(page.getByLabel('Key', { exact: true })).toHaveValue(one.id);
      await page.goto(shared);
      await app.ready();
      expect(await rows(page)).toHaveLength(1);
    });

    await test.step('a filter is removed where it is named', async () => {
      await page.getByRole('link', { name: 'Remove the filter key' }).click();
      await expect.poll(() => rows(page)).toHaveLength(2);
      expect((await rows(page)).every((r) => r.outcome === 'Denied')).toBe(true);
      await expect(page.getByLabel('Key', { exact: true })).toHaveValue('');
    });

    await test.step('a request is found by its id, and one that is not there has a way out', async () => {
      await filter(async () => {
        await page.getByLabel('Outcome', { exact: true }).selectOption('All outcomes');
        await page.getByRole('searchbox', { name: 'Request id' }).fill('trace-4711');
      });
      await expect.poll(() => rows(page)).toEqual([expect.objectContaining({ request: 'GET /found', key: 'two' })]);
      await filter(() => page.getByRole('searchbox', { name: 'Request id' }).fill('trace-0815'));
      await expect(page.getByText('No request matches these filters')).toBeVisible();
      await page.getByRole('main').getByRole('link', { name: 'Clear filters' }).first().click();
      await expect(page).toHaveURL('/usage');
      await expect.poll(() => rows(page)).toHaveLength(5);
      await expect(page.getByRole('searchbox', { name: 'Request id' })).toHaveValue('');
    });
  });

  test('older requests are a page away, and new ones do not shift what is being read', async ({ app, page, api }) => {
    const { secret } = await app.createKey({ name: 'busy', scopes: 'read' });
    for (let n = 1; n <= 120; n++) await api.verify({ credential: secret, method: 'GET', path: `/n/${n}` });
    await app.enter();
    await expect.poll(async () => (await (await app.owner()).get('/usage')).text()).toContain('GET /n/120');
    await app.visit('/usage');

    const page_ = async () => (await rows(page)).map((r) => Number(r.request.split('/').pop()));
    const down = (from: number, count: number) => Array.from({ length: count }, (_, n) => from - n);
    expect(await page_()).toEqual(down(120, 50));
    await expect(page.getByRole('navigation', { name: 'Pages' })).toContainText('50 requests on this page');
    for (let n = 121; n <= 125; n++) await api.verify({ credential: secret, method: 'GET', path: `/n/${n}` });

    await page.getByRole('link', { name: 'Next page' }).click();
    await expect.poll(page_).toEqual(down(70, 50));
    await page.getByRole('link', { name: 'Next page' }).click();
    await expect.poll(page_).toEqual(down(20, 20));
    await expect(page.getByRole('link', { name: 'Next page' })).toHaveCount(0);
    await page.goBack();
    await expect.poll(page_).toEqual(down(70, 50));
    await page.getByRole('link', { name: 'First page' }).click();
    await expect(page).toHaveURL('/usage');
    await expect.poll(page_).toEqual(down(125, 50));
  });

  test('a log without a request shows a command that makes the first one', async ({ app, page }) => {
    await app.enter('/usage');
    await expect(page.getByRole('heading', { name: 'No live requests yet' })).toBeVisible();
    await expect(page.locator('#curl')).toContainText(`curl ${app.server.url}/v1/auth/test`);
    await expect(page.locator('#curl')).toContainText('"Authorization: Bearer $KEYSTEAD_KEY"');
  });
});
