/** Not a test: fills an installation with believable data and takes pictures of every page. */

import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { App, expect, OWNER, test } from '../fixtures';
import { Api, Session, type AppFields, type KeyFields, type MadeApp, type MadeKey } from '../support/client';
import { run, type Server } from '../support/installation';
import { Watch } from '../support/watch';
import { LOGO } from '../support/logo';
import { smaller } from './png';

const root = join(import.meta.dirname, '../..');
const out = join(root, 'target/shots');

/** Oldest first; with how often it is called in the log that follows. */
const KEYS: (KeyFields & { calls?: number })[] = [
  { name: 'old-status-page', kind: 'restricted', scopes: 'read' },
  { name: 'legacy-site', scopes: 'admin', expires: 'never' },
  { name: 'warehouse-scanner', kind: 'restricted', scopes: 'stock:write stock:read' },
  { name: 'crm-import', scopes: 'contacts:write contacts:read companies:read', calls: 1 },
  { name: 'support-lookup', kind: 'restricted', scopes: 'users:read', calls: 2 },
  { name: 'invoice-mailer', kind: 'restricted', scopes: 'invoices:read contacts:read', calls: 3 },
  { name: 'catalogue-feed', kind: 'restricted', scopes: 'products:read', calls: 3 },
  { name: 'nightly-export', kind: 'restricted', scopes: 'contacts:read orders:read invoices:read files:write stock:read', calls: 4 },
  { name: 'edge-verify', kind: 'gateway', expires: 'never' },
  { name: 'fraud-scoring', scopes: 'orders:read payments:read', allowed_ips: '198.51.100.0/24', calls: 6 },
  { name: 'data-warehouse', kind: 'restricted', scopes: 'read', calls: 6 },
  { name: 'search-indexer', kind: 'restricted', scopes: 'files:read products:read', calls: 8 },
  { name: 'black-friday', scopes: 'orders:write prices:write' },
  { name: 'partner-sync', kind: 'restricted', scopes: 'contacts:read companies:read', allowed_ips: '203.0.113.0/24', calls: 9 },
  { name: 'ci-smoke-tests', scopes: 'orders:read orders:write', calls: 2 },
  { name: 'billing-service', scopes: 'invoices:write invoices:read payments:write customers:read', allowed_ips: '198.51.100.0/24', calls: 12 },
  { name: 'mobile-gateway', kind: 'tenant', scopes: 'read', calls: 14 },
  { name: 'checkout-api', scopes: 'orders:write orders:read stock:read prices:read payments:write', allowed_ips: '203.0.113.0/24\n198.51.100.14', calls: 20 },
];

const CALLS: [string, string, string][] = [
  ['GET', '/v2/orders/81{n}', 'orders:read'],
  ['POST', '/v2/orders', 'orders:write'],
  ['GET', '/v2/contacts/c_49{n}', 'contacts:read'],
  ['GET', '/v2/products/{n}/prices', 'products:read'],
  ['POST', '/v2/invoices', 'invoices:write'],
  ['GET', '/v2/files/export-{n}.csv', 'files:read'],
];
const CLIENTS = ['checkout/2.14 (node 22)', 'python-requests/2.32', 'keystead-go/1.3', 'curl/8.9.1'];

const PEOPLE = [
  ['mira.holm@acme.test', 'admin'],
  ['jonas@acme.test', 'developer'],
  ['security-desk@acme.test', 'security'],
  ['support-berlin@acme.test', 'support'],
];

/** Somebody accepts an invitation. */
async function joined(server: Server, link: string): Promise<void> {
  const token = link.split('token=')[1];
  const body = new URLSearchParams({ token, password: 'seven purple boats at dawn' });
  const res = await fetch(`${server.url}/invitations/accept`, { method: 'POST', headers: { origin: server.url }, body, redirect: 'manual' });
  if (res.status !== 303) throw new Error(`accepting answered ${res.status}`);
}

/** Apps of each kind and state; what the owner allowed two of them. */
async function register(owner: Session): Promise<Record<string, MadeApp>> {
  const made: Record<string, MadeApp> = {};
  for (const app of APPS) made[app.name] = await owner.registerApp({ redirect_uris: 'https://ledger.example/callback', ...app });
  await owner.setLogo(made['Ledger Sync'], LOGO);
  await owner.allow(made['Ledger Sync'], 'openid email contacts:read invoices:read');
  await owner.allow(made['Partner Portal'], 'openid users:read');
  await owner.post(`/apps/${made['Old Importer'].id}`, { act: 'suspend', reason: 'replaced by Ledger Sync' });
  return made;
}

const APPS: AppFields[] = [
  { name: 'Old Importer', scopes: 'contacts:write' },
  { name: 'Survey Tool', scopes: 'openid contacts:read' },
  { name: 'Report Runner', kind: 'machine', redirect_uris: '', scopes: 'exports:read files:read' },
  { name: 'Partner Portal', scopes: 'openid email users:read', home_page: 'https://portal.example/about' },
  { name: 'Ledger Sync', scopes: 'openid email offline_access contacts:write contacts:read invoices:read', home_page: 'https://ledger.example/about' },
  { name: 'Field App', kind: 'public', redirect_uris: 'com.example.field:/callback\nhttp://127.0.0.1/callback', scopes: 'openid orders:read' },
];

async function fill(owner: Session, api: Api): Promise<Record<string, MadeKey>> {
  const made: Record<string, MadeKey> = {};
  for (const key of KEYS) made[key.name] = await owner.createKey(key);
  await owner.createKey({ name: 'checkout-api-staging', environment: 'test', scopes: 'orders:write orders:read', expires: '30' });
  await owner.createKey({ name: 'playground', environment: 'test', scopes: 'read', expires: '7' });
  await owner.revoke(made['old-status-page'], 'the page was shut down');
  await owner.revoke(made['legacy-site'], 'found in a public repository');
  const busy = KEYS.flatMap((key) => Array.from({ length: (key.calls ?? 0) * 4 }, () => key));
  // A fixed shuffle: pictures of two days can be compared.
  for (let n = busy.length - 1, seed = 7; n > 0; n--) {
    seed = (seed * 48_271) % 0x7fffffff;
    const m = seed % (n + 1);
    [busy[n], busy[m]] = [busy[m], busy[n]];
  }
  for (const [n, key] of busy.entries()) {
    const own = (key.scopes ?? '').split(' ');
    const fits = CALLS.filter(([, , scope]) => own.includes(scope) || (own.includes('read') && scope.endsWith(':read')));
    const [method, path, scope] = fits[n % Math.max(1, fits.length)] ?? ['GET', '/v2/{n}', own[0]];
    const inside = key.allowed_ips?.includes('203.0.113') ? `203.0.113.${10 + (n % 5)}` : `198.51.100.${20 + (n % 9)}`;
    const odd = n % 13 === 5;
    await api.verify({
      credential: n % 41 === 17 ? 'sk_live_CopiedWithoutItsEnd' : made[key.name].secret,
      ip: odd && key.allowed_ips ? '192.0.2.77' : inside,
      method: odd && !key.allowed_ips ? 'DELETE' : method,
      path: path.replace('{n}', String(100 + ((n * 37) % 900))),
      scopes: odd && !key.allowed_ips ? ['orders:delete'] : [scope],
      user_agent: CLIENTS[n % CLIENTS.length],
    });
    if (n % 37 === 11) await api.verify({ credential: made['legacy-site'].secret, ip: '192.0.2.9', method: 'GET', path: '/wp-login.php', user_agent: 'Mozilla/5.0' });
  }
  return made;
}

test('pictures of every page', async ({ browser, begun, started }) => {
  await mkdir(out, { recursive: true });
  const installation = await begun('bootstrapped');
  let server = await started(installation);
  let owner = await Session.signIn(server);
  const made = await fill(owner, new Api(server));
  await server.drain();
  expect(await run('python3', [join(import.meta.dirname, 'age.py'), join(installation.dir, 'keystead.db')])).toMatchObject({ code: 0, stderr: '' });
  server = await started(installation);
  owner = await Session.signIn(server);

  for (const [email, role] of PEOPLE) await joined(server, await owner.invite(email, role));
  await owner.invite('auditor@example.org', 'security');
  const apps = await register(owner);

  const looks = [
    { name: 'light', theme: 'light', viewport: { width: 1440, height: 900 } },
    { name: 'dark', theme: 'dark', viewport: { width: 1440, height: 900 } },
    { name: 'narrow', theme: 'light', viewport: { width: 390, height: 844 } },
  ];
  for (const look of looks) {
    const context = await browser.newContext({ viewport: look.viewport, baseURL: server.url, reducedMotion: 'reduce' });
    const app = new App(await context.newPage(), server, true, new Watch(context, true), async () => owner);
    const prefer = (environment: string) => context.addCookies([{ name: 'keystead-prefs', value: `${environment}.${look.theme}`, url: server.url }]);
    const { page } = app;
    const shot = async (name: string) => {
      // The clock of relative times starts after the page has mounted.
      await page.waitForTimeout(150);
      await page.evaluate(() => scrollTo(0, 0));
      await page.screenshot({ path: join(out, `${name}-${look.name}.png`) });
      await page.screenshot({ path: join(out, `${name}-${look.name}-full.png`), fullPage: true });
    };
    await prefer('live');
    await app.visit('/login');
    await shot('login');
    await page.getByLabel('Email').fill(OWNER.email);
    await page.getByLabel('Password', { exact: true }).fill('wrong');
    await app.submit('Sign in');
    await shot('login-refused');
    await app.enter('/keys');
    await shot('keys');
    for (const name of ['crm-import', 'warehouse-scanner', 'black-friday']) await page.getByRole('checkbox', { name: `Select ${name}` }).check();
    await shot('keys-chosen');
    await app.visit('/keys?queue=expiring');
    await shot('keys-expiring');
    await app.visit('/keys?queue=idle');
    await shot('keys-idle');
    await app.visit('/keys/revoke?all=1&q=a');
    await shot('revoke-several');
    await app.visit(`/keys/${made['billing-service'].id}/rotate`);
    await shot('rotate');
    if (look.name === 'light') {
      await app.submit('Rotate key');
      await shot('rotated');
      await page.getByRole('checkbox', { name: /^I have stored it/ }).check();
    }
    await app.visit(`/keys/${made['billing-service'].id}`);
    await shot('key-rotating');
    await app.visit(`/keys/${made['checkout-api'].id}/edit`);
    await page.getByLabel(/^Allowed addresses/).fill('203.0.113.10');
    await app.submit('Preview impact');
    await shot('edit-impact');
    await app.visit('/keys?q=zzz');
    await shot('keys-no-match');
    await app.visit(`/keys/${made['checkout-api'].id}`);
    await shot('key');
    await app.visit(`/keys/${made['legacy-site'].id}`);
    await shot('key-revoked');
    await app.visit(`/keys/${made['checkout-api'].id}/revoke`);
    await shot('revoke');
    await page.getByLabel(/^Type/).fill('checkout');
    await app.submit('Revoke key');
    await shot('revoke-refused');
    await app.visit('/usage');
    await shot('usage');
    await app.visit('/usage?outcome=denied');
    await shot('usage-filtered');
    await app.through(() => page.locator('tbody .cover').nth(1).click());
    await shot('event');
    await app.visit('/usage?request_id=none');
    await shot('usage-no-match');
    await app.visit('/audit');
    await shot('audit');
    await page.getByRole('row').locator('summary').first().click();
    await shot('audit-opened');
    await app.visit('/');
    await shot('overview');
    await app.visit('/?range=30d');
    await shot('overview-month');
    await app.visit('/leaks');
    await page.getByLabel('Text that may hold a key').fill(`+++ b/jobs/report.sh\n+KEY=${made['partner-sync'].secret}\n`);
    await app.submit('Check text');
    await shot('leaks-found');
    if (look.name === 'light') await app.submit('Report leak');
    else await app.through(() => page.getByRole('link', { name: 'Open its report' }).click());
    await shot('leak');
    await app.visit('/leaks');
    await shot('leaks');
    await app.visit('/settings/scopes?edit=read');
    await shot('permissions');
    await app.visit('/settings/allowlist');
    await page.getByLabel(/^Allowed addresses/).fill('203.0.113.0/24');
    await app.submit('Review change');
    await shot('allowlist');
    await app.visit('/apps');
    await shot('apps');
    await app.visit(`/apps/${apps['Ledger Sync'].id}`);
    await shot('app');
    await app.visit(`/apps/${apps['Old Importer'].id}`);
    await shot('app-suspended');
    await app.visit(`/apps/${apps['Ledger Sync'].id}/edit`);
    await shot('app-edit');
    await app.visit(`/apps/${apps['Ledger Sync'].id}/logo`);
    await shot('app-logo');
    await app.visit(`/apps/${apps['Ledger Sync'].id}/rotate`);
    await shot('app-rotate');
    await app.visit(`/apps/${apps['Ledger Sync'].id}/try`);
    await shot('app-try');
    await app.submit('Try it');
    await shot('app-try-consent');
    await app.submit('Allow access');
    await shot('app-tried');
    await app.submit('Try it again');
    await app.submit('Deny');
    await shot('app-tried-denied');
    await app.visit('/grants');
    await shot('grants');
    await app.visit('/apps/new');
    await shot('app-new');
    await page.getByLabel('Name', { exact: true }).fill('Warehouse Terminal');
    await page.getByRole('radio', { name: /^Public/ }).check();
    await page.getByLabel('Redirect URIs').fill('http://stock.example/callback');
    await page.locator('details.further summary').click();
    await app.submit('Register app');
    await shot('app-new-refused');
    await app.visit('/apps/new');
    await page.getByLabel('Name', { exact: true }).fill('Warehouse Terminal');
    await page.getByLabel('Redirect URIs').fill('https://stock.example/callback');
    await page.getByRole('checkbox', { name: /^openid/ }).check();
    await app.submit('Register app');
    await shot('app-secret');
    await page.getByRole('checkbox', { name: /^I have stored it/ }).check();
    await app.visit('/members');
    await shot('members');
    await page.getByLabel('Email').fill('new@acme.test');
    await app.submit('Invite');
    await shot('members-invited');
    const link = (await page.locator('#invitation-link').innerText()).trim();
    await app.visit('/members');
    await app.through(() => page.locator('tbody .cover').first().click());
    await shot('member');
    await app.visit('/tenants');
    await shot('your-tenants');
    await app.visit('/settings/tenant');
    await shot('tenant');
    await app.visit('/settings/policies');
    await shot('policies');
    await page.getByLabel(/^Keys expire within/).fill('30');
    await page.getByLabel('A member answers for each key').check();
    await app.submit('Review change');
    await shot('policies-reviewed');
    await app.visit('/platform/tenants');
    await shot('tenants');
    await app.visit('/platform/mails');
    await shot('mails');
    await app.visit('/platform/recovery');
    await shot('recovery');
    await app.visit('/platform/plans?edit=default');
    await shot('plans');
    await app.visit('/platform/tenants');
    await app.through(() => page.locator('tbody .cover').first().click());
    await shot('tenant-of-installation');
    await app.visit('/account');
    await shot('account');
    await app.visit('/account/two-factor');
    await shot('two-factor');
    await app.submit('Set up an authenticator app');
    await shot('two-factor-begun');
    await app.visit('/account/sessions');
    await shot('sessions');
    await app.visit('/account/email');
    await shot('email');
    await context.clearCookies({ name: 'keystead' });
    await page.goto(link);
    await app.ready();
    await shot('invitation');
    await app.visit('/forgot');
    await shot('forgot');
    await app.visit('/invitations/accept?token=old');
    await shot('invitation-gone');
    await app.enter();
    await app.visit('/keys/new');
    await page.getByLabel('Name', { exact: true }).fill('returns-portal');
    await page.getByRole('radio', { name: /^Restricted/ }).check();
    await page.getByLabel(/^Other permissions/).fill('orders:read returns:write');
    await page.getByLabel(/^Allowed addresses/).fill('203.0.113.0/24');
    await shot('new');
    await page.getByLabel('Name', { exact: true }).fill('');
    await page.getByLabel(/^Other permissions/).fill('orders:read two:many:colons');
    await page.getByLabel(/^Allowed addresses/).fill('203.0.113.0/33');
    await app.submit('Create key');
    await shot('new-refused');
    await page.getByLabel('Name', { exact: true }).fill('returns-portal');
    await page.getByLabel(/^Other permissions/).fill('orders:read returns:write');
    await page.getByLabel(/^Allowed addresses/).fill('203.0.113.0/24');
    await app.submit('Create key');
    await shot('secret');
    await page.getByText('Show', { exact: true }).click();
    await page.getByRole('checkbox', { name: /^I have stored it/ }).check();
    await shot('secret-shown');
    await app.through(() => page.reload());
    await shot('used-before');
    await app.visit('/nothing');
    await shot('not-found');
    await prefer('test');
    await app.visit('/keys');
    await shot('test-keys');
    await app.visit('/usage');
    await shot('test-usage-empty');
    await prefer('live');
    if (look.name === 'narrow') {
      await app.visit('/keys');
      await page.getByRole('button', { name: 'Menu', exact: true }).click();
      await shot('menu');
    } else {
      await app.visit('/keys');
      await page.keyboard.press('?');
      await shot('shortcuts');
    }
    // The key that was made for the pictures would stand at the top of the next ones.
    await context.close();
  }

  const empty = await begun('empty');
  const blank = await started(empty);
  for (const look of looks) {
    const context = await browser.newContext({ viewport: look.viewport, baseURL: blank.url });
    await context.addCookies([{ name: 'keystead-prefs', value: `test.${look.theme}`, url: blank.url }]);
    const app = new App(await context.newPage(), blank, true, new Watch(context, true), async () => owner);
    await app.visit(blank.setupLink.replace(blank.url, ''));
    await app.page.screenshot({ path: join(out, `setup-${look.name}.png`) });
    await context.close();
  }
  const context = await browser.newContext({ viewport: looks[0].viewport, baseURL: blank.url });
  const app = new App(await context.newPage(), blank, true, new Watch(context, true), async () => owner);
  await app.visit(blank.setupLink.replace(blank.url, ''));
  await app.page.getByLabel('Team or company').fill('Acme');
  await app.page.getByLabel('Your email').fill(OWNER.email);
  await app.page.getByLabel('Password', { exact: true }).fill(OWNER.password);
  await app.submit('Set up Keystead');
  await app.page.screenshot({ path: join(out, 'keys-empty-light.png') });
  await app.submit('Test', app.page.getByRole('banner'));
  await app.page.screenshot({ path: join(out, 'test-keys-empty-light.png') });
  await context.close();

  const readme = join(root, 'docs/screenshot.png');
  await writeFile(readme, smaller(await readFile(join(out, 'keys-light.png'))));
  expect((await stat(readme)).size, 'the picture of the README').toBeLessThan(200_000);
});
