import { both, expect, test, type Page } from '../fixtures';

const background = (page: Page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
const PAPER = 'rgb(251, 250, 248)';
const NIGHT = 'rgb(15, 14, 12)';

both(() => {
  test('test mode cannot be overlooked and shows nothing of live', async ({ app, page, api }) => {
    const live = await app.createKey({ name: 'live-service' });
    await app.createKey({ name: 'test-service', environment: 'test' });
    await api.test(live.secret);
    await app.enter('/keys');
    const band = page.getByText('Test mode. Keys made here are refused on live resources.');
    const live_ = page.getByRole('banner').getByRole('button', { name: 'Live' });
    const test_ = page.getByRole('banner').getByRole('button', { name: 'Test' });
    await expect(live_).toHaveAttribute('aria-pressed', 'true');
    await expect(band).toHaveCount(0);
    await expect(page.getByRole('link', { name: 'live-service' })).toBeVisible();
    await expect(page.getByRole('link', { name: 'test-service' })).toHaveCount(0);

    await app.submit('Test', page.getByRole('banner'));
    await expect(page).toHaveURL('/keys');
    for (const path of ['/keys', '/usage', '/audit', '/keys/new']) {
      await app.visit(path);
      await expect(band, path).toBeInViewport();
      await expect(test_, path).toHaveAttribute('aria-pressed', 'true');
    }
    await expect(page.getByRole('radio', { name: 'Test' }), 'a new key is a test key').toBeChecked();
    await app.visit('/usage');
    await expect(page.getByRole('heading', { name: 'No test requests yet' })).toBeVisible();
    await app.visit('/keys');
    await expect(page.getByRole('link', { name: 'test-service' })).toBeVisible();
    await expect(page.getByRole('link', { name: 'live-service' })).toHaveCount(0);
    // 4.5:1 and an amber ground are judged by axe and the screenshots; here: it spans the page.
    const box = (await band.locator('xpath=ancestor::*[@role="status"]').boundingBox())!;
    expect([box.x, box.width]).toEqual([0, 1440]);

    await app.visit('/keys?q=service');
    await app.submit('Switch to live', page);
    await expect(page, 'the filter stays').toHaveURL('/keys?q=service');
    await expect(band).toHaveCount(0);
    await expect(page.getByRole('link', { name: 'live-service' })).toBeVisible();
  });

  test('the chosen colours are a cookie, in the first bytes of every page, and outlive the session', async ({ app, page, server }) => {
    await app.signIn();
    const sidebar = page.getByRole('complementary', { name: 'Sidebar' });
    await expect(sidebar.getByRole('button', { name: 'Colours of the system' })).toHaveAttribute('aria-pressed', 'true');
    expect(await background(page)).toBe(PAPER);
    await page.emulateMedia({ colorScheme: 'dark' });
    expect(await background(page), 'as the system has it').toBe(NIGHT);
    await page.emulateMedia({ colorScheme: 'light' });

    await app.visit('/usage?outcome=denied');
    await app.submit('Dark colours', sidebar);
    await expect(page, 'one stays where one was').toHaveURL('/usage?outcome=denied');
    expect(await background(page)).toBe(NIGHT);
    const cookie = (await page.context().cookies()).find((c) => c.name === 'keystead-prefs')!;
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
    expect(cookie.expires).toBeGreaterThan(Date.now() / 1000 + 300 * 86_400);

    const first = async (path: string) => {
      const res = await page.request.get(server.url + path, { headers: { accept: 'text/html' } });
      return (await res.text()).slice(0, 400);
    };
    for (const path of ['/keys', '/keys/new', '/audit', '/nothing']) {
      expect(await first(path), path).toContain('<html lang="en" data-theme="dark">');
      expect(await first(path), path).toContain('<meta name="color-scheme" content="dark">');
    }
    await app.visit('/keys');
    await expect(page.locator('html')).toHaveAttribute('data-theme', 'dark');
    await expect(sidebar.getByRole('button', { name: 'Dark colours' })).toHaveAttribute('aria-pressed', 'true');

    await app.submit('Sign out', sidebar);
    expect(await background(page), 'the sign-in has them too').toBe(NIGHT);
    await app.signIn();
    await page.emulateMedia({ colorScheme: 'dark' });
    await app.submit('Light colours', sidebar);
    expect(await background(page), 'the choice wins over the system').toBe(PAPER);
    await app.submit('Test', page.getByRole('banner'));
    await expect(page.locator('html'), 'one preference leaves the other alone').toHaveAttribute('data-theme', 'light');
    await app.submit('Colours of the system', sidebar);
    expect(await background(page)).toBe(NIGHT);
    await expect(page.locator('html')).not.toHaveAttribute('data-theme');
  });
});

for (const reducedMotion of ['no-preference', 'reduce'] as const) {
  test(`pages ${reducedMotion === 'reduce' ? 'do not fade where motion is reduced' : 'fade into one another'}`, async ({ another }) => {
    const app = await another({ reducedMotion });
    await app.page.addInitScript(() => {
      addEventListener('pagereveal', (e) => document.documentElement.setAttribute('data-fades', String((e as any).viewTransition !== null)));
    });
    await app.enter('/keys');
    await app.through(() => app.page.getByRole('link', { name: 'Usage' }).click());
    await expect(app.page.locator('html')).toHaveAttribute('data-fades', String(reducedMotion === 'no-preference'));
  });
}
