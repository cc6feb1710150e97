import { both, expect, secretIn, test, type Page } from '../fixtures';
import { run } from '../support/installation';
import { slowed } from '../support/proxy';

/** A printed command, as it is copied into a terminal. */
async function inTerminal(command: string): Promise<any> {
  const ran = await run('bash', ['-c', command.replace(/^curl /, 'curl -sS ')]);
  expect(ran, command).toMatchObject({ code: 0, stderr: '' });
  return JSON.parse(ran.stdout);
}

/** Everywhere a page could leave a secret behind. */
async function leftBehind(page: Page): Promise<string> {
  return page.evaluate(() => {
    const scripts = [...document.querySelectorAll('script')].map((s) => s.outerHTML);
    const attributes = [...document.querySelectorAll('*')].flatMap((e) => [...e.attributes].map((a) => a.value));
    const stores = [localStorage, sessionStorage].map((s) => JSON.stringify(s));
    return [location.href, document.title, document.cookie, JSON.stringify(history.state), ...scripts, ...attributes, ...stores].join('\n');
  });
}

both((js) => {
  test('a key is created, its secret is shown once, and the printed command works', async ({ app, page }) => {
    await app.enter('/keys');
    await page.getByRole('main').getByRole('link', { name: /^Create key/ }).first().click();
    await expect(app.heading).toHaveText('Create key');
    await app.ready();

    await page.getByLabel('Name', { exact: true }).fill('nightly-export');
    await page.getByRole('radio', { name: /^Restricted/ }).check();
    await page.getByRole('checkbox', { name: /^read / }).check();
    await page.getByLabel(/^Other permissions/).fill('orders:write');
    await page.getByText('30 days', { exact: true }).click();
    await page.getByLabel(/^Allowed addresses/).fill('127.0.0.1\n203.0.113.0/24');
    await app.submit('Create key');

    await expect(app.heading).toHaveText('Store the secret now');
    await expect(page).toHaveTitle('Store the secret · Acme · Keystead');
    await expect(page.getByRole('main')).toContainText('nightly-export is active');
    const secret = (await page.locator('#secret').textContent())!;
    expect(secret).toMatch(/^rk_live_[0-9A-Za-z]{38}$/);

    await test.step('it is masked until it is asked for', async () => {
      await expect(page.locator('#secret')).toBeHidden();
      await page.getByText('Show', { exact: true }).click();
      await expect(page.locator('#secret')).toBeVisible();
      await expect(page.locator('#env')).toHaveText(`KEYSTEAD_KEY=${secret}`);
      await page.getByText('Hide', { exact: true }).click();
      await expect(page.locator('#secret')).toBeHidden();
    });

    await test.step('it stands in the page and nowhere else', async () => {
      expect(secretIn(await leftBehind(page))).toBeUndefined();
      expect(page.url()).toBe(`${app.server.url}/keys/new`);
    });

    await test.step('the command works as it is printed', async () => {
      const command = (await page.locator('#curl').textContent())!;
      expect(command).toContain(app.server.url);
      expect(await inTerminal(command)).toMatchObject({ valid: true, environment: 'live', scopes: ['read', 'orders:write'] });
    });

    await test.step('going on needs the promise that it is stored, and leads to the key', async () => {
      await page.getByRole('button', { name: 'Go to the key' }).click();
      expect(page.url(), 'the box is not ticked').toBe(`${app.server.url}/keys/new`);
      await page.getByRole('checkbox', { name: /^I have stored it/ }).check();
      await app.submit('Go to the key');
      await expect(page).toHaveURL(/\/keys\/key_[0-9a-f]{32}\??$/);
      await expect(app.heading).toHaveText('nightly-export');
      const details = page.getByRole('main');
      for (const text of ['Restricted key', 'orders:write', '127.0.0.1', '203.0.113.0/24', `…${secret.slice(-4)}`]) {
        await expect(details).toContainText(text);
      }
      expect(secretIn(await page.content())).toBeUndefined();
    });

    await test.step('s31: Back and Forward do not show it again', async () => {
      // The browser does not send a form again by itself: its own page says so, and the navigation fails.
      for (const go of [() => page.goBack(), () => page.goForward()]) {
        await go().catch(() => {});
        await page.waitForLoadState().catch(() => {});
        await expect(async () => expect((await page.content()).includes(secret)).toBe(false)).toPass({ timeout: 5_000 });
      }
    });
  });

  test('s31: reloading the answer sends the form again, makes no second key and shows no secret', async ({ app, page }) => {
    await app.enter('/keys/new');
    await page.getByLabel('Name', { exact: true }).fill('once');
    await page.getByRole('checkbox', { name: /^read / }).check();
    await app.submit('Create key');
    const secret = (await page.locator('#secret').textContent())!;
    await page.getByRole('checkbox', { name: /^I have stored it/ }).check();

    app.watch.expectStatus(409);
    await app.through(() => page.reload());
    await expect(app.heading).toHaveText('This form was already used');
    expect(await page.content()).not.toContain(secret);
    await page.getByRole('link', { name: 'Go to the key' }).click();
    await expect(app.heading).toHaveText('once');

    await app.visit('/keys?q=once');
    await expect(page.getByRole('link', { name: 'once' })).toHaveCount(1);
  });

  test('what is wrong stands beside its field, the summary leads there, and everything typed is kept', async ({ app, page }) => {
    await app.enter('/keys/new');
    const typed = { name: ' ', scopes: 'orders:write two:many:colons', addresses: '203.0.113.0/24\n198.51.100.0/33\n</textarea><b>&amp;' };
    await page.getByLabel('Name', { exact: true }).fill(typed.name);
    await page.getByRole('main').getByText('Test', { exact: true }).click();
    await page.getByRole('radio', { name: /^Restricted/ }).check();
    await page.getByRole('checkbox', { name: /^read / }).check();
    await page.getByLabel(/^Other permissions/).fill(typed.scopes);
    await page.getByText('Custom', { exact: true }).click();
    await page.getByLabel('Date and time, UTC').fill('2001-02-03T04:05');
    await page.getByLabel(/^Allowed addresses/).fill(typed.addresses);
    app.watch.expectStatus(422);
    await app.submit('Create key');

    await expect(page).toHaveURL('/keys/new');
    const summary = page.getByRole('alert');
    await expect(summary.getByRole('heading')).toHaveText(/fields need a change$/);
    await expect(summary, 'what was wrong has the focus').toBeFocused();
    const wrong = { name: /^Name the service/, expires_at: /This date has passed/, allowed_ips: /^Line 2: / };
    for (const [field, message] of Object.entries(wrong)) {
      const input = page.locator(`[name=${field}]`);
      await expect(input).toHaveAttribute('aria-invalid', 'true');
      await expect(input).toHaveAccessibleDescription(message);
      await expect(page.locator(`#${field}-error`)).toBeVisible();
    }
    await expect(page.getByRole('group', { name: 'Permissions' })).toHaveAccessibleDescription(/“two:many:colons” is not a permission/);

    await test.step('each line of the summary leads to its field', async () => {
      const lines = summary.getByRole('link');
      expect(await lines.count()).toBeGreaterThanOrEqual(4);
      for (const line of await lines.all()) {
        const field = (await line.getAttribute('href'))!.slice(1);
        await line.click();
        await expect(page.locator(`#${field}`)).toBeFocused();
        await expect(page.locator(`#${field}`)).toBeInViewport();
      }
    });

    await test.step('everything typed is kept', async () => {
      await expect(page.getByLabel('Name', { exact: true })).toHaveValue(typed.name);
      await expect(page.getByRole('radio', { name: 'Test' })).toBeChecked();
      await expect(page.getByRole('radio', { name: /^Restricted/ })).toBeChecked();
      await expect(page.getByRole('checkbox', { name: /^read / })).toBeChecked();
      await expect(page.getByLabel(/^Other permissions/)).toHaveValue(typed.scopes);
      await expect(page.locator('[name=expires][value=custom]')).toBeChecked();
      await expect(page.getByLabel('Date and time, UTC')).toHaveValue('2001-02-03T04:05');
      await expect(page.getByLabel(/^Allowed addresses/)).toHaveValue(typed.addresses);
    });

    await test.step('and mended, it makes the key', async () => {
      await page.getByLabel('Name', { exact: true }).fill('<i>mended</i> & "quoted"');
      await page.getByLabel(/^Other permissions/).fill('orders:write');
      await page.getByText('7 days', { exact: true }).click();
      await page.getByLabel(/^Allowed addresses/).fill('');
      await app.submit('Create key');
      await expect(app.heading).toHaveText('Store the secret now');
      await expect(page.getByRole('main')).toContainText('<i>mended</i> & "quoted" is active');
      await expect(page.locator('#secret')).toHaveText(/^rk_test_/);
    });
  });

  test('a resource gets a choice, and the fields of limits make the key', async ({ app, page }) => {
    await app.createKey({ name: 'first', scopes: 'orders:read orders:write orders:delete files:read' });
    await app.enter('/keys/new');
    await page.getByLabel('Name', { exact: true }).fill('limited');
    const orders = page.getByRole('radiogroup', { name: 'Permission on orders' });
    await expect(orders.getByRole('radio', { name: 'None' })).toBeChecked();
    await orders.getByText('Custom').click();
    const verbs = page.getByRole('group', { name: 'Verbs on orders' });
    await verbs.getByRole('checkbox', { name: 'delete' }).check();
    await page.getByRole('radiogroup', { name: 'Permission on files' }).getByText('Read', { exact: true }).click();
    await page.getByLabel(/^Owner/).fill('owner@acme.test');
    await page.getByLabel(/^Requests per hour/).fill('10000');
    await page.locator('details.further summary').click();
    await page.getByLabel(/^Valid from/).fill('2030-01-02T03:04');
    await page.getByLabel(/^Metadata/).fill('{"cost_centre": 4100');
    await page.getByText('Never', { exact: true }).click();
    app.watch.expectStatus(422);
    await app.submit('Create key');
    await expect(page.getByLabel(/^Burst/)).toHaveAttribute('aria-invalid', 'true');
    await expect(page.getByLabel(/^Metadata/)).toHaveAccessibleDescription(/not valid JSON/);
    await expect(page.getByLabel(/^Metadata/), 'what is wrong is not folded away').toBeVisible();
    await expect(verbs.getByRole('checkbox', { name: 'delete' })).toBeChecked();
    await page.getByLabel(/^Burst/).fill('100');
    await page.getByLabel(/^Metadata/).fill('{"cost_centre": 4100}');
    await app.submit('Create key');
    await page.getByRole('checkbox', { name: /^I have stored it/ }).check();
    await app.submit('Go to the key');
    const main = page.getByRole('main');
    for (const text of ['orders:delete', 'files:read', '10,000 an hour, 100 a second', 'cost_centre: 4100', '2 Jan 2030, 03:04 UTC']) {
      await expect(main).toContainText(text);
    }
    await expect(main).not.toContainText('orders:read');
  });

  test('a gateway key comes with a command that asks for decisions', async ({ app, page }) => {
    const key = await app.createKey({ name: 'orders-api', scopes: 'orders:read' });
    await app.enter('/keys/new');
    await page.getByLabel('Name', { exact: true }).fill('edge');
    await page.getByRole('radio', { name: /^Gateway/ }).check();
    await expect(page.getByRole('checkbox', { name: /^read / }), 'there is nothing to choose').toBeHidden();
    await expect(page.getByRole('main')).toContainText('A gateway key asks for decisions and does nothing else');
    await app.submit('Create key');
    await expect(page.locator('#secret')).toHaveText(/^gk_[0-9A-Za-z]{38}$/);
    await expect(page.locator('#env')).toHaveText(/^KEYSTEAD_GATEWAY_KEY=gk_/);
    const command = (await page.locator('#curl').textContent())!;
    expect(await inTerminal(command)).toMatchObject({ valid: false, code: 'MALFORMED' });
    expect(await inTerminal(command.replace('sk_live_…', key.secret))).toMatchObject({ valid: true, code: 'VALID', credential_id: key.id });
  });

  if (!js) return;

  test('the summary says in plain words what is being made, while one types', async ({ app, page }) => {
    await app.enter('/keys/new');
    const summary = page.getByRole('complementary', { name: 'Summary' });
    await expect(summary).toContainText('This key is a live secret key. It may do nothing yet, from any address, until ');
    await page.getByLabel('Name', { exact: true }).pressSequentially('importer');
    await page.getByRole('checkbox', { name: /^read / }).check();
    await page.getByLabel(/^Other permissions/).fill('orders:write');
    await page.getByRole('button', { name: 'Add mine, 127.0.0.1' }).click();
    await page.getByText('Never', { exact: true }).click();
    await page.getByLabel(/^Requests per hour/).fill('5000');
    await page.getByLabel(/^Owner/).fill('ops@acme.test');
    await expect(summary).toContainText(
      'importer is a live secret key of ops@acme.test. It may read everything and write orders, from 1 address or network only, until somebody revokes it, up to 5,000 requests an hour.',
    );
    await expect(page.getByLabel(/^Allowed addresses/)).toHaveValue('127.0.0.1\n');
    await expect(page.getByRole('status').filter({ hasText: 'Added your address.' })).toBeVisible();
    await expect(page.getByText('It works until somebody revokes it. Choose a date where you can.')).toBeVisible();
  });

  test('presets and search choose among resources, and a chosen permission is taken back', async ({ app, page }) => {
    await app.createKey({ name: 'first', scopes: 'orders:read orders:write files:read users:write' });
    await app.enter('/keys/new');
    const chosen = page.locator('.selected');
    await page.getByRole('button', { name: 'Read all' }).click();
    await expect(chosen).toContainText('2 permissions');
    await page.getByRole('searchbox', { name: 'Find a resource' }).fill('ord');
    await expect(page.locator('.perm__row:visible')).toHaveCount(1);
    await page.getByRole('radiogroup', { name: 'Permission on orders' }).getByText('Read + write').click();
    await expect(chosen).toContainText('3 permissions');
    await page.getByRole('button', { name: 'Remove orders:write' }).click();
    await expect(page.getByRole('radiogroup', { name: 'Permission on orders' }).getByRole('radio', { name: 'Read', exact: true })).toBeChecked();
    await expect(chosen).toContainText('2 permissions');
    await page.getByRole('button', { name: 'Clear' }).click();
    await expect(chosen).toContainText('No permission chosen');
  });

  test('with the keyboard alone a key is made in less than 20 seconds', async ({ app, page }) => {
    await app.enter('/keys');
    const since = Date.now();
    // As fast as somebody types who knows the page: eight strokes a second.
    const delay = 125;
    const press = async (key: string, times = 1) => {
      for (let n = 0; n < times; n++) await page.keyboard.press(key, { delay: 30 }).then(() => page.waitForTimeout(delay - 30));
    };
    const tabTo = async (what: string) => {
      for (let n = 0; n < 40; n++) {
        if (await page.evaluate((what) => document.activeElement?.matches(what), what)) return;
        await press('Tab');
      }
      throw new Error(`Tab does not lead to ${what}`);
    };
    await app.through(() => page.keyboard.press('c'));
    await expect(page.getByLabel('Name', { exact: true })).toBeFocused();
    await page.keyboard.type('returns-portal', { delay });
    await tabTo('[name=kind]');
    await press('ArrowDown');
    await tabTo('[name=scopes][value=read]');
    await press('Space');
    await app.through(() => press('Enter'));
    await expect(app.heading).toHaveText('Store the secret now');
    const took = Date.now() - since;
    test.info().annotations.push({ type: 'measured', description: `${took} ms from the list to the secret` });
    expect(took).toBeLessThan(20_000);
    await expect(page.locator('#secret')).toHaveText(/^rk_live_/);
    await page.getByRole('checkbox', { name: /^I have stored it/ }).check();
  });

  test('copying is confirmed, and only who neither copied nor stored the secret is asked before leaving', async ({ app, page, context }) => {
    await context.grantPermissions(['clipboard-read', 'clipboard-write']);
    await app.enter('/keys/new');
    await page.getByLabel('Name', { exact: true }).fill('careful');
    await page.getByRole('checkbox', { name: /^read / }).check();
    await app.submit('Create key');
    const secret = await page.locator('#secret').textContent();

    const asked: string[] = [];
    page.on('dialog', (dialog) => {
      asked.push(dialog.type());
      return dialog.dismiss();
    });
    await page.getByRole('link', { name: 'Create another' }).click();
    await expect.poll(() => asked).toEqual(['beforeunload']);
    await expect(app.heading, 'and stays').toHaveText('Store the secret now');

    await page.getByRole('button', { name: 'Copy the secret' }).click();
    await expect(page.locator('#toasts[role=status]')).toHaveText('Copied. Clear your clipboard when you are done.');
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(secret);
    await app.through(() => page.getByRole('link', { name: 'Create another' }).click());
    await expect(app.heading).toHaveText('Create key');
    expect(asked).toHaveLength(1);
  });

  test('an impatient second click makes no second key and does not cost the secret', async ({ app, page, server }) => {
    // A server that takes half a second, as one far away does.
    const slow = await slowed(server.url, 500);
    await app.enter();
    await page.goto(`${slow.url}/keys/new`);
    await app.ready();
    await page.getByLabel('Name', { exact: true }).fill('impatient');
    await page.getByRole('checkbox', { name: /^read / }).check();
    await app.through(async () => {
      const button = page.getByRole('button', { name: 'Create key' });
      await button.scrollIntoViewIfNeeded();
      const box = (await button.boundingBox())!;
      const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
      await page.mouse.click(x, y);
      await page.waitForTimeout(150);
      await page.mouse.click(x, y);
    });
    await expect(app.heading).toHaveText('Store the secret now');
    expect(slow.posts(), 'the second click sent nothing').toBe(1);
    await slow.close();
    await page.getByRole('checkbox', { name: /^I have stored it/ }).check();
    await app.visit('/keys?q=impatient');
    await expect(page.getByRole('link', { name: 'impatient' })).toHaveCount(1);
  });
});
