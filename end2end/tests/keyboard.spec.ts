import { both, expect, test, type Page } from '../fixtures';

/** How fast somebody types who is in no hurry: 60 words a minute are 200 ms a key; most shortcuts are known by heart. */
const KEY = 60;

const focused = (page: Page) =>
  page.evaluate(() => {
    const e = document.activeElement as HTMLInputElement;
    return { tag: e.tagName, id: e.id, name: e.name ?? '', value: e.value ?? '', text: e.textContent?.trim() ?? '', type: e.type ?? '' };
  });

type Focused = Awaited<ReturnType<typeof focused>>;

/** Presses a key until the focus is where it should be. */
async function press(page: Page, key: string, until: (e: Focused) => boolean): Promise<void> {
  for (let n = 0; n < 80; n++) {
    if (until(await focused(page))) return;
    await page.keyboard.press(key, { delay: KEY });
  }
  throw new Error(`${key} does not lead there; the focus is at ${JSON.stringify(await focused(page))}`);
}

both((js) => {
  test('a key is created from the list with nothing but the keyboard, in under 20 seconds', async ({ app, page }) => {
    await app.enter('/keys');
    const from = Date.now();
    if (js) {
      await page.keyboard.press('c');
    } else {
      await press(page, 'Tab', (e) => e.tag === 'A' && e.text.startsWith('Create key'));
      await page.keyboard.press('Enter');
    }
    await expect(app.heading).toHaveText('Create key');
    await press(page, 'Tab', (e) => e.id === 'name');
    await page.keyboard.type('night-shift', { delay: KEY });
    await press(page, 'Tab', (e) => e.name === 'environment');
    await page.keyboard.press('ArrowRight');
    await press(page, 'Tab', (e) => e.name === 'kind');
    await page.keyboard.press('ArrowDown');
    await press(page, 'Tab', (e) => e.name === 'scopes' && e.value === 'read');
    await page.keyboard.press('Space');
    await press(page, 'Tab', (e) => e.name === 'expires');
    await page.keyboard.press('ArrowLeft');
    await press(page, 'Tab', (e) => e.type === 'submit' && e.text === 'Create key');
    await page.keyboard.press('Enter');
    await expect(app.heading).toHaveText('Store the secret now');
    await app.ready();
    await press(page, 'Tab', (e) => e.tag === 'SUMMARY');
    await page.keyboard.press('Enter');
    await expect(page.locator('#secret')).toBeVisible();
    await expect(page.locator('#secret')).toHaveText(/^rk_test_/);
    const took = Date.now() - from;
    test.info().annotations.push({ type: 'measured', description: `${took} ms from the list to the secret` });
    expect(took).toBeLessThan(20_000);

    await press(page, 'Tab', (e) => e.type === 'checkbox');
    await page.keyboard.press('Space');
    await press(page, 'Tab', (e) => e.text === 'Go to the key');
    await app.through(() => page.keyboard.press('Enter'));
    await expect(app.heading).toHaveText('night-shift');
  });

  test('the first Tab leads past the navigation', async ({ app, page }) => {
    await app.enter('/usage');
    await page.keyboard.press('Tab');
    const skip = page.getByRole('link', { name: 'Skip to content' });
    await expect(skip).toBeFocused();
    await expect(skip).toBeInViewport();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.querySelector('main')!.contains(document.activeElement))).toBe(true);
  });

  test('whatever has the focus is seen: with an outline, and under no bar', async ({ app, page }) => {
    for (let n = 0; n < 30; n++) await app.createKey({ name: `service-${n}` });
    await app.enter();
    await page.setViewportSize({ width: 1280, height: 640 });
    for (const path of ['/keys', '/keys/new']) {
      await app.visit(path);
      const stops = new Set<string>();
      for (let n = 0; n < 90; n++) {
        await page.keyboard.press('Tab');
        const seen = await page.evaluate(() => {
          const e = document.activeElement as HTMLElement;
          if (!e || e === document.body) return null;
          const r = e.getBoundingClientRect();
          // Where the control itself is only an inner part, what is drawn is the label or the row around it.
          const drawn = e.closest('label') ?? e;
          const around = e.closest('tr, label, fieldset, .affix') ?? e;
          const at = document.elementFromPoint(r.left + Math.min(r.width / 2, 40), r.top + r.height / 2);
          const outlined = [e, drawn, around, ...e.querySelectorAll('*')].some((x) =>
            [getComputedStyle(x), getComputedStyle(x, '::after')].some((s) => s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2),
          );
          const name = `${e.tagName}#${e.id}[${e.getAttribute('name') ?? ''}] ${e.textContent?.trim().slice(0, 30)} @${Math.round(r.left)},${Math.round(r.top + scrollY)}`;
          const inside = r.top >= -1 && r.bottom <= innerHeight + 1;
          return { name, inside, uncovered: !!at && (e.contains(at) || around.contains(at) || at.contains(e)), outlined };
        });
        if (!seen) break;
        expect(seen, `${path}: ${seen.name}`).toMatchObject({ inside: true, uncovered: true, outlined: true });
        if (stops.has(seen.name)) break;
        stops.add(seen.name);
      }
      expect(stops.size, `${path}: how many stops`).toBeGreaterThan(10);
    }
  });
});

test('shortcuts lead around, keep out of fields, and can be turned off', async ({ app, page }) => {
  await app.enter('/keys');
  const go = async (keys: string[], url: string | RegExp) => {
    for (const key of keys) await page.keyboard.press(key);
    await expect(page).toHaveURL(url);
    await app.ready();
  };
  await go(['g', 'u'], '/usage');
  await expect(app.heading).toHaveText('Usage');
  await go(['g', 'a'], '/audit');
  await expect(app.heading).toHaveText('Audit log');
  await go(['g', 'l'], '/leaks');
  await expect(app.heading).toHaveText('Leak desk');
  await go(['g', 's'], '/settings/scopes');
  await go(['g', 'o'], '/');
  await expect(app.heading).toHaveText('Overview');
  await go(['g', 'k'], '/keys');
  await expect(app.heading).toHaveText('API keys');

  await page.keyboard.press('/');
  const search = page.getByRole('searchbox', { name: 'Search keys' });
  await expect(search).toBeFocused();
  await page.keyboard.type('cg?/');
  await expect(search).toHaveValue('cg?/');
  await expect(page).toHaveURL('/keys');
  await search.fill('');
  await search.blur();

  const sheet = page.getByRole('dialog', { name: 'Keyboard shortcuts' });
  const opener = page.getByRole('button', { name: 'Keyboard shortcuts' });
  await opener.focus();
  await page.keyboard.press('?');
  await expect(sheet).toBeVisible();
  for (let n = 0; n < 6; n++) {
    const inside = await page.evaluate(() => {
      const e = document.activeElement!;
      return e === document.body || document.querySelector('dialog[open]')!.contains(e);
    });
    expect(inside, 'the focus stays in the dialog').toBe(true);
    await page.keyboard.press('Tab');
  }
  await sheet.getByRole('checkbox', { name: 'Use these shortcuts' }).uncheck();
  await page.keyboard.press('Escape');
  await expect(sheet).toBeHidden();
  await expect(opener).toBeFocused();

  await app.visit('/keys');
  await page.keyboard.press('c');
  await page.keyboard.press('?');
  await expect(sheet).toBeHidden();
  await expect(page).toHaveURL('/keys');

  await opener.click();
  await sheet.getByRole('checkbox', { name: 'Use these shortcuts' }).check();
  await sheet.getByRole('button', { name: 'Close' }).click();
  await go(['c'], '/keys/new');
});

test('a new page announces itself: its heading takes the focus, its title is its own', async ({ app, page }) => {
  const key = await app.createKey({ name: 'announced' });
  await app.enter('/keys');
  const pages: [string, string, string][] = [
    ['announced', 'announced', 'announced · Acme · Keystead'],
    ['Revoke key', 'Revoke announced?', 'Revoke announced · Acme · Keystead'],
    ['Usage', 'Usage', 'Usage · Acme · Keystead'],
    ['Audit log', 'Audit log', 'Audit log · Acme · Keystead'],
    ['API keys', 'API keys', 'API keys · Acme · Keystead'],
  ];
  for (const [link, heading, title] of pages) {
    await page.getByRole('link', { name: link, exact: true }).first().click();
    await expect(app.heading).toHaveText(heading);
    await expect(page).toHaveTitle(title);
    // A form may take the focus to its first field instead.
    if (heading !== 'Revoke announced?') await expect(app.heading).toBeFocused();
  }
  await expect(page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'API keys' })).toHaveAttribute('aria-current', 'page');
  await page.reload();
  await app.ready();
  await expect(app.heading, 'a reload leaves the focus to the browser').not.toBeFocused();
  await page.goBack();
  await page.goBack();
  await page.goBack();
  await app.ready();
  await expect(app.heading, 'so does Back').not.toBeFocused();
  await expect(page).toHaveURL(`/keys/${key.id}/revoke`);
  await expect(app.heading).toHaveText('Revoke announced?');
});
