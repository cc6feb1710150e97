import { both, expect, test } from '../fixtures';
import { becomes } from '../support/roles';

both(() => {
  test.describe(() => {
    test.use({ begin: 'filled' });

    test('the overview says how it goes, what needs somebody, and what changed', async ({ app, page }) => {
      await app.enter('/');
      await expect(app.heading).toHaveText('Overview');
      const chart = page.getByRole('region', { name: 'Requests by outcome' });
      await expect(chart.getByRole('img')).toHaveAccessibleName(/^18 requests, 27\.8% denied\.$/);
      await expect(page.locator('.fig').filter({ hasText: 'Denied' })).toContainText('27.8%');
      const top = page.getByRole('table', { name: 'Top keys' });
      await expect(top.getByRole('row').nth(1)).toContainText('checkout-api');
      const reasons = page.getByRole('table', { name: 'Why requests were denied' });
      await app.through(() => reasons.getByRole('link', { name: 'Missing permission' }).click());
      await expect(page).toHaveURL('/usage?code=INSUFFICIENT_SCOPE');

      await app.visit('/?range=30d');
      await expect(page.getByRole('link', { name: '30 d' })).toHaveAttribute('aria-current', 'true');
      await expect(page.getByRole('main')).toContainText('last 30 days, per day, UTC');
      await expect(page.getByRole('main')).toContainText('key expires within 14 days');
      await expect(page.getByRole('heading', { name: 'Recent changes' })).toBeVisible();
    });

    test('it shows a role what the role may see', async ({ app, page, server }) => {
      await app.enter();
      await becomes(server, 'developer');
      await app.visit('/');
      await expect(app.heading).toHaveText('Overview');
      await expect(page.getByRole('heading', { name: 'Recent changes' })).toHaveCount(0);
      const nav = page.getByRole('navigation', { name: 'Main' });
      await expect(nav.getByRole('link')).toHaveText(['Overview', 'API keys', 'Usage', 'OAuth apps']);
      await becomes(server, 'support');
      await app.visit('/');
      await expect(page).toHaveURL('/leaks');
    });
  });

  test('an installation nobody has called yet shows how to begin', async ({ app, page }) => {
    await app.enter('/');
    await expect(page.getByRole('heading', { name: 'No live request in that time' })).toBeVisible();
    await expect(page.locator('#curl')).toContainText('/v1/auth/test');
  });
});
