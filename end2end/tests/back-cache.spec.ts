import { chromium } from '@playwright/test';
import { App, expect, test } from '../fixtures';
import { Watch } from '../support/watch';

// Playwright switches the back/forward cache off; people have it on, and Chromium keeps even some pages there that say
// no-store. So this runs in a browser with it.
test('s31: the back/forward cache gives neither the secret nor a signed-out page back', async ({ app, server, launchOptions }) => {
  const browser = await chromium.launch({ ...launchOptions, ignoreDefaultArgs: ['--disable-back-forward-cache'] });
  const context = await browser.newContext({ baseURL: server.url });
  const watch = new Watch(context, true);
  const page = await context.newPage();
  const real = new App(page, server, true, watch, app.owner);
  await real.enter('/keys/new');
  await page.getByLabel('Name', { exact: true }).fill('cached');
  await page.getByRole('checkbox', { name: /^read / }).check();
  await real.submit('Create key');
  const secret = (await page.locator('#secret').textContent())!;
  await page.getByRole('checkbox', { name: /^I have stored it/ }).check();
  await real.submit('Go to the key');
  await expect(real.heading).toHaveText('cached');

  await page.goBack({ waitUntil: 'commit' }).catch(() => {});
  await page.waitForTimeout(500);
  expect(await page.content()).not.toContain(secret);

  await real.visit('/keys');
  await real.submit('Sign out', page.getByRole('complementary', { name: 'Sidebar' }));
  await page.goBack({ waitUntil: 'commit' }).catch(() => {});
  await page.waitForTimeout(500);
  expect(await page.content()).not.toContain('cached');
  await browser.close();
  watch.quiet();
});
