import AxeBuilder from '@axe-core/playwright';
import { expect, test, type Page } from '../fixtures';
import { STATES } from '../support/states';

/** Every rule of axe, and the size of targets, which is off unless asked for. */
async function violations(page: Page): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).options({ rules: { 'target-size': { enabled: true } } }).analyze();
  return violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(' ')}: ${n.failureSummary?.replace(/\s+/g, ' ')}`));
}

/** What sticks out at the right, when the page is wider than its window. */
function overflow(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const page = document.scrollingElement!;
    if (page.scrollWidth <= innerWidth) return [];
    const rtl = document.documentElement.dir === 'rtl';
    const out = [...document.querySelectorAll('body *')].filter((e) => {
      const r = e.getBoundingClientRect();
      return r.width > 0 && (rtl ? r.left < -1 : r.right > innerWidth + 1);
    });
    return [`${page.scrollWidth} > ${innerWidth}`, ...out.slice(0, 5).map((e) => e.outerHTML.slice(0, 120))];
  });
}

/** Rows of headings whose cells do not stand side by side. */
function stacked(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const tops = (row: Element) => [...row.querySelectorAll('th')].map((th) => th.getBoundingClientRect()).filter((r) => r.width > 1).map((r) => r.top);
    return [...document.querySelectorAll('thead tr')].filter((row) => new Set(tops(row)).size > 1).map((row) => (row as HTMLElement).innerText);
  });
}

for (const state of STATES) {
  test.describe(() => {
    test.use({ begin: state.begin ?? 'filled' });

    test(`${state.name}: accessible in both themes and at both widths, and never wider than its window`, async ({ app, page, server }) => {
      for (const theme of ['light', 'dark']) {
        await page.setViewportSize({ width: 1440, height: 900 });
        await page.context().addCookies([{ name: 'keystead-prefs', value: `live.${theme}`, url: server.url }]);
        await state.show(app);
        await expect(page.locator('html')).toHaveAttribute('data-theme', theme);
        for (const width of [1440, 390]) {
          await page.setViewportSize({ width, height: width === 390 ? 844 : 900 });
          expect.soft(await violations(page), `${theme}, ${width}`).toEqual([]);
          // Narrow tables stack, and their headings are for those who hear them.
          if (width === 1440) expect.soft(await stacked(page), `headings of a table on one line, ${theme}`).toEqual([]);
        }
        for (const width of [1024, 768, 390, 360, 320]) {
          await page.setViewportSize({ width, height: 800 });
          expect.soft(await overflow(page), `overflow, ${theme}, ${width}`).toEqual([]);
        }
        await test.step('the policy forbids inline styles, and there are none', async () => {
          expect.soft(await page.locator('[style]').count()).toBe(0);
          expect.soft(await page.locator('style').count()).toBe(0);
        });
        await test.step('one heading of the first level, at most one primary button', async () => {
          expect.soft(await page.locator('h1').count()).toBe(1);
          expect.soft(await page.locator('.btn--primary:visible').count()).toBeLessThanOrEqual(1);
        });
      }
    });

    test(`${state.name}: unbroken right to left, with text of 140 %, and without JavaScript`, async ({ another }) => {
      const app = await another({ viewport: { width: 360, height: 800 } });
      await state.show(app);
      await app.page.evaluate(() => (document.documentElement.dir = 'rtl'));
      expect.soft(await overflow(app.page), 'right to left').toEqual([]);
      await app.page.evaluate(() => document.documentElement.style.setProperty('font-size', '140%'));
      expect.soft(await overflow(app.page), 'right to left, 140 %').toEqual([]);
      await app.page.evaluate(() => (document.documentElement.dir = 'ltr'));
      expect.soft(await overflow(app.page), '140 %').toEqual([]);

      const plain = await another({ javaScriptEnabled: false, viewport: { width: 390, height: 844 } });
      await state.show(plain);
      expect.soft(await overflow(plain.page), 'without JavaScript').toEqual([]);
      for (const control of await plain.page.locator('[data-js]').all()) {
        await expect.soft(control, 'what needs script is absent without it').toBeHidden();
      }
    });
  });
}
