import { brotliDecompressSync } from 'node:zlib';
import { get } from 'node:http';
import { both, expect, test } from '../fixtures';

const PAGES = ['/login', '/', '/keys', '/keys/new', '/usage', '/audit', '/leaks', '/settings/scopes', '/settings/allowlist', '/nothing'];

/** An answer as it is on the wire. */
function raw(url: string, cookie = ''): Promise<{ encoding?: string; body: Buffer }> {
  return new Promise((done, failed) => {
    get(url, { headers: { 'accept-encoding': 'br', accept: 'text/html', cookie } }, (res) => {
      const parts: Buffer[] = [];
      res.on('data', (part) => parts.push(part));
      res.on('end', () => done({ encoding: res.headers['content-encoding'], body: Buffer.concat(parts) }));
    }).on('error', failed);
  });
}

both((js) => {
  test('no page is stored, and each has a policy with a nonce of its own that all its scripts carry', async ({ app, page }) => {
    const key = await app.createKey({ name: 'headers' });
    app.watch.expectStatus(404);
    const nonces = new Set<string>();
    for (const path of [...PAGES, `/keys/${key.id}`, `/keys/${key.id}/revoke`]) {
      if (path !== '/login') await app.enter();
      const res = (await page.goto(path))!;
      await app.ready();
      const headers = res.headers();
      expect(headers['cache-control'], path).toBe('no-store');
      expect(headers['x-content-type-options'], path).toBe('nosniff');
      expect(headers['referrer-policy'], path).toBe('same-origin');
      const policy = headers['content-security-policy'];
      expect(policy, path).not.toContain('unsafe-inline');
      expect(policy, path).not.toContain("'unsafe-eval'");
      for (const part of ["default-src 'none'", "object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'"]) expect(policy, path).toContain(part);
      const nonce = /'nonce-([^']+)'/.exec(policy)![1];
      nonces.add(nonce);
      const scripts = [...(await res.text()).matchAll(/<script\b[^>]*>/g)].map((m) => m[0]);
      expect(scripts.length, path).toBeGreaterThan(0);
      for (const script of scripts) expect(script, path).toContain(`nonce="${nonce}"`);
      expect(await page.locator('[style]').count(), path).toBe(0);
    }
    expect(nonces.size).toBe(PAGES.length + 2);
    if (!js) return;
    const foreign = await page.evaluate(() => performance.getEntriesByType('resource').map((e) => new URL(e.name).origin));
    expect(new Set(foreign), 'nothing comes from elsewhere').toEqual(new Set([app.server.url]));
  });
});

test('pages and their parts stay within their budget, compressed', async ({ app, page, api }) => {
  const owner = await app.owner();
  const { secret } = await owner.createKey({ name: 'busy' });
  for (let n = 0; n < 60; n++) await owner.createKey({ name: `service-${n}` });
  for (let n = 0; n < 60; n++) await api.verify({ credential: secret, path: `/n/${n}`, method: 'GET' });
  await app.enter('/keys');
  const cookie = (await page.context().cookies()).map((c) => `${c.name}=${c.value}`).join('; ');
  const sizes: Record<string, number> = {};
  for (const path of ['/', '/keys', '/keys/new', '/usage', '/audit', '/leaks', '/settings/scopes']) {
    const { encoding, body } = await raw(app.server.url + path, cookie);
    expect(encoding, path).toBe('br');
    expect(brotliDecompressSync(body).toString(), path).toContain('</html>');
    sizes[path] = body.length;
  }
  const used = await page.evaluate(() => performance.getEntriesByType('resource').map((e) => new URL(e.name).pathname));
  const budget: [RegExp, number][] = [[/\.css$/, 20], [/\.wasm$/, 200], [/\.js$/, 15], [/\.woff2$/, 55]];
  for (const [what, limit] of budget) {
    const paths = [...new Set(used.filter((p) => what.test(p)))];
    expect(paths.length, String(what)).toBeGreaterThan(0);
    let sum = 0;
    for (const path of paths) {
      const { encoding, body } = await raw(app.server.url + path);
      if (!what.test('x.woff2')) expect(encoding, path).toBe('br');
      sum += body.length;
    }
    sizes[String(what)] = sum;
    expect.soft(sum, `${what} in bytes`).toBeLessThanOrEqual(limit * 1000);
  }
  for (const path of ['/', '/keys', '/keys/new', '/usage', '/audit', '/leaks', '/settings/scopes']) expect.soft(sizes[path], path).toBeLessThanOrEqual(40_000);
  test.info().annotations.push({ type: 'measured', description: JSON.stringify(sizes) });
});
