import { expect, OWNER, test } from '../fixtures';
import { site } from '../support/proxy';
import { randomBytes } from 'node:crypto';

const escape = (s: string) => s.replace(/&/g, '&amp;').replace(/"/g, '&quot;');

// On another port of localhost a page is another origin of the same site, so that a Lax cookie travels with its forms:
// only the origin check stands in the way. From 127.0.0.1 it is another site altogether.
for (const [from, host] of [['the same site', 'localhost'], ['another site', '127.0.0.1']]) {
  test(`a form that a page of ${from} posts is refused and changes nothing`, async ({ app, page, api }) => {
    const key = await app.createKey({ name: 'victim' });
    await app.enter('/keys');
    const forms: [string, Record<string, string>][] = [
      [
        '/keys/new',
        { form_id: `form_${randomBytes(16).toString('hex')}`, name: 'planted', environment: 'live', kind: 'secret', more_scopes: 'admin', expires: 'never', expires_at: '', allowed_ips: '' },
      ],
      [`/keys/${key.id}/revoke`, { reason: '', confirm: 'victim' }],
      ['/preferences', { theme: 'dark', environment: 'test', back: '/keys' }],
      ['/logout', {}],
      ['/login', { email: OWNER.email, password: OWNER.password, next: '' }],
    ];
    app.watch.expectStatus(403);
    for (const [path, fields] of forms) {
      const inputs = Object.entries(fields).map(([name, value]) => `<input type="hidden" name="${name}" value="${escape(value)}">`);
      const evil = await site(
        `<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>x</title><form method="post" action="${app.server.url}${path}">${inputs.join('')}<button>Win</button></form>`,
      );
      await page.goto(`http://${host}:${evil.port}/`);
      const [answer] = await Promise.all([
        page.waitForResponse((r) => r.url() === app.server.url + path && r.request().method() === 'POST'),
        page.getByRole('button', { name: 'Win' }).click(),
      ]);
      expect(answer.status(), path).toBe(403);
      expect(answer.headers()['set-cookie'], path).toBeUndefined();
      await page.waitForLoadState();
      await evil.close();
    }
    await app.visit('/keys');
    await expect(page.getByRole('link', { name: 'victim' }), 'still signed in').toBeVisible();
    await expect(page.getByRole('link', { name: 'planted' })).toHaveCount(0);
    await expect(page.locator('html')).not.toHaveAttribute('data-theme');
    expect((await api.test(key.secret)).status).toBe(200);
  });
}

test('no other page can put the console into a frame', async ({ app, page, watch }) => {
  await app.enter('/keys');
  const evil = await site(`<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>x</title><iframe src="${app.server.url}/keys"></iframe>`);
  const said: string[] = [];
  page.on('console', (m) => said.push(m.text()));
  watch.expectFrameRefusal();
  await page.goto(evil.url);
  await expect.poll(() => said.join('\n')).toMatch(/frame-ancestors|X-Frame-Options/);
  const inside = page.frames().find((f) => f !== page.mainFrame())!;
  expect(await inside.content()).not.toContain('API keys');
  await evil.close();
});
