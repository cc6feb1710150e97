import { readFile } from 'node:fs/promises';
import { both, expect, test, type Page } from '../fixtures';
import { run } from '../support/installation';

/** The log as it is read: outcome, reason, request, key. */
async function rows(page: Page): Promise<{ outcome: string; reason: string; request: string; key: string }[]> {
  const all = page.getByRole('table', { name: /^Decided requests/ }).getByRole('row').filter({ has: page.getByRole('cell') });
  return all.evaluateAll((trs) =>
    trs.map((tr) => {
      const cells = [...tr.querySelectorAll('td')];
      const text = (n: number) => cells[n]?.textContent?.trim() ?? '';
      return { outcome: text(1), reason: text(2), request: cells[3]?.querySelector('a')?.textContent?.trim() ?? '', key: text(4) };
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
    const shownRows = async () => (await last()).split('>GET /v1/auth/test<').length - 1;
    await expect.poll(shownRows, { intervals: [50], timeout: 5_000 }).toBe(2);
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

    await test.step('a row leads to its page, which says why', async () => {
      await app.through(() => page.getByRole('link', { name: 'GET /scope', exact: true }).click());
      await expect(app.heading).toHaveText('Missing permission');
      const checks = page.locator('.trace li');
      await expect(checks).toHaveCount(11);
      await expect(checks.filter({ hasText: 'Failed: Permission' })).toContainText('Missing: orders:write.');
      await expect(checks.filter({ hasText: 'Passed: Address' })).toContainText('allowlist');
      await expect(checks.filter({ hasText: 'Skipped: Rate limit' })).toContainText('Not reached');
      await expect(page.getByRole('main')).toContainText(/req_[0-9a-f]{32}/);
    });

    await test.step('what it shows as curl asks again and gets the same answer', async () => {
      const command = (await page.locator('#ask').textContent())!;
      const ran = await run('bash', ['-c', command], { env: { KEYSTEAD_KEY: plain.secret, KEYSTEAD_GATEWAY_KEY: server.keys.gateway_key } });
      expect(JSON.parse(ran.stdout)).toMatchObject({ valid: false, code: 'INSUFFICIENT_SCOPE' });
      await page.getByText('As JSON', { exact: true }).click();
      const told = JSON.parse((await page.locator('#json').textContent())!);
      expect(told).toMatchObject({ code: 'INSUFFICIENT_SCOPE', path: '/scope', required_scopes: ['orders:write'] });
    });

    await test.step('a value leads to the requests that share it', async () => {
      await app.through(() => page.getByRole('link', { name: 'INSUFFICIENT_SCOPE', exact: true }).click());
      expect(new Set((await rows(page)).map((r) => r.reason))).toEqual(new Set(['Missing permission']));
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
      await expect(page, 'one request: its page says why').toHaveURL(/\/usage\/evt_[0-9a-f]{32}$/);
      await expect(app.heading).toHaveText('Allowed');
      await expect(page.getByRole('main')).toContainText('trace-4711');
      await app.visit('/usage');
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

  test('the log is filtered by what the request was, and a wrong filter is named beside its field', async ({ app, page, api }) => {
    const { secret } = await app.createKey({ name: 'filtered', scopes: 'read' });
    for (const [method, path, ip] of [['GET', '/v2/orders', '203.0.113.7'], ['POST', '/v2/orders', '203.0.113.8'], ['GET', '/v3/users', '198.51.100.9']]) {
      await api.verify({ credential: secret, method, path, ip });
    }
    await app.enter();
    await expect.poll(async () => (await (await app.owner()).get('/usage')).text()).toContain('GET /v3/users');
    await app.visit('/usage');
    const open = () => page.getByText('Other keys, method, path, address, time', { exact: true }).click();
    await open();
    await page.getByLabel('Method', { exact: true }).fill('get');
    await page.getByLabel('Address or network').fill('203.0.113.0/24');
    await app.submit('Filter');
    expect((await rows(page)).map((r) => r.request)).toEqual(['GET /v2/orders']);
    await expect(page.getByLabel('Address or network'), 'fields that are set stay in sight').toHaveValue('203.0.113.0/24');
    await app.through(() => page.getByRole('link', { name: 'Remove the filter address' }).click());
    expect((await rows(page)).map((r) => r.request)).toEqual(['GET /v3/users', 'GET /v2/orders']);

    await page.getByLabel('Path starts with').fill('/v2/');
    await page.getByLabel('Before, UTC').fill('2026-01-01T00:00');
    await app.submit('Filter');
    await expect(page.getByText('No request matches these filters')).toBeVisible();
    await app.through(() => page.getByRole('link', { name: 'Remove the filter to' }).click());
    expect((await rows(page)).map((r) => r.request)).toEqual(['GET /v2/orders']);

    await page.getByLabel('Address or network').fill('203.0.113.7/24');
    app.watch.expectStatus(422);
    await app.submit('Filter');
    const field = page.getByLabel('Address or network');
    await expect(field).toHaveAttribute('aria-invalid', 'true');
    await expect(field).toHaveAccessibleDescription(/Did you mean 203\.0\.113\.0\/24\?/);
    await page.getByRole('alert').getByRole('link').click();
    await expect(field).toBeFocused();
  });

  test('the chart says in words and numbers what it draws, and its times lead into the log', async ({ app, page, api }) => {
    const { secret } = await app.createKey({ name: 'drawn', scopes: 'read' });
    for (let n = 0; n < 7; n++) await api.verify({ credential: secret, method: 'GET', path: `/n/${n}`, scopes: n < 2 ? ['write'] : [] });
    await app.enter();
    await expect.poll(async () => (await (await app.owner()).get('/usage')).text()).toContain('GET /n/6');
    await app.visit('/usage');
    const chart = page.getByRole('region', { name: 'Requests by outcome' });
    await expect(chart.getByRole('img')).toHaveAccessibleName('7 requests, 28.6% denied.');
    await expect(chart).toContainText('last 24 hours, per hour, UTC');
    await chart.getByText('As table', { exact: true }).click();
    const numbers = chart.getByRole('row').filter({ has: page.getByRole('cell') });
    const sums = await numbers.evaluateAll((trs) => [1, 2].map((n) => trs.reduce((sum, tr) => sum + Number(tr.querySelectorAll('td')[n].textContent), 0)));
    expect(sums).toEqual([5, 2]);
    await app.through(() => numbers.first().getByRole('link').click());
    await expect(page).toHaveURL(/\/usage\?from=.*&to=/);
    expect((await rows(page)).length).toBeGreaterThan(0);
  });

  test('events step through the list they were opened from', async ({ app, page, api }) => {
    const { secret } = await app.createKey({ name: 'stepped', scopes: 'read' });
    for (const n of [1, 2, 3]) {
      await api.verify({ credential: secret, method: 'GET', path: `/bad/${n}`, scopes: ['write'] });
      await api.verify({ credential: secret, method: 'GET', path: `/good/${n}` });
    }
    await app.enter();
    await expect.poll(async () => (await (await app.owner()).get('/usage')).text()).toContain('GET /good/3');
    await app.visit('/usage?outcome=denied');
    await app.through(() => page.getByRole('link', { name: 'GET /bad/2', exact: true }).click());
    const path = page.getByRole('main').locator('dd', { hasText: /^\/bad/ });
    await expect(path).toHaveText('/bad/2');
    if (js) {
      await app.through(() => page.keyboard.press('j'));
      await expect(path).toHaveText('/bad/1');
      await app.through(() => page.keyboard.press('k'));
    }
    await app.through(() => page.getByRole('link', { name: 'Newer request' }).click());
    await expect(path).toHaveText('/bad/3');
    await expect(page.getByRole('link', { name: 'Newer request' }), 'it is the newest that was denied').toHaveCount(0);
    await app.through(() => page.getByRole('link', { name: 'Back to the log' }).click());
    await expect(page).toHaveURL('/usage?outcome=denied');
  });

  test('an export equals the filter', async ({ app, page, api }) => {
    const { secret } = await app.createKey({ name: 'exported', scopes: 'read' });
    for (let n = 0; n < 60; n++) await api.verify({ credential: secret, method: 'GET', path: `/n/${n}`, scopes: n % 2 ? ['write'] : [] });
    await app.enter();
    await expect.poll(async () => (await (await app.owner()).get('/usage')).text()).toContain('GET /n/59');
    await app.visit('/usage?outcome=denied');
    for (const [name, lines] of [['Export CSV', 31], ['Export NDJSON', 30]] as const) {
      const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name }).click()]);
      const text = await readFile(await download.path(), 'utf8');
      expect(text.trim().split('\n'), name).toHaveLength(lines);
      expect(text).not.toContain('"/n/0"');
    }
  });

  test('a log without a request shows a command that makes the first one', async ({ app, page }) => {
    await app.enter('/usage');
    await expect(page.getByRole('heading', { name: 'No live requests yet' })).toBeVisible();
    await expect(page.locator('#curl')).toContainText(`curl ${app.server.url}/v1/auth/test`);
    await expect(page.locator('#curl')).toContainText('"Authorization: Bearer $KEYSTEAD_KEY"');
  });
});
