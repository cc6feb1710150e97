/** Every page of the console in every state that looks different: what the tests of appearance go through. */

import { expect, OWNER, type App } from '../fixtures';

export type State = {
  name: string;
  /** The installation has no people yet. */
  blank?: boolean;
  /** Leads the browser there. Runs more than once. */
  show: (app: App) => Promise<void>;
};

const key = { scopes: 'orders:read orders:write', allowed_ips: '203.0.113.0/24\n2001:db8::/32' };

/** Keys in every state that the console can make, and requests of every outcome. */
async function fill(app: App): Promise<string> {
  const owner = await app.owner();
  const listed = await (await owner.get('/keys?q=checkout-api')).text();
  const known = /href="\/keys\/(key_[0-9a-f]{32})" title/.exec(listed)?.[1];
  if (known) return known;
  const checkout = await owner.createKey({ name: 'checkout-api', ...key });
  const rk = await owner.createKey({ name: 'nightly-export', kind: 'restricted', scopes: 'read', expires: '7' });
  const soon = new Date(Date.now() + 1_000).toISOString().slice(0, 19);
  const old = await owner.createKey({ name: 'old-status-page', kind: 'tenant', scopes: 'read', expires: 'custom', expires_at: soon });
  const long = 'a-service-with-a-very-long-name-that-nobody-would-choose-but-somebody-will-type-into-the-form-one-day';
  await owner.createKey({ name: long.slice(0, 100), scopes: 'read write delete admin contacts:read', expires: 'never' });
  await owner.createKey({ name: 'edge', kind: 'gateway' });
  const gone = await owner.createKey({ name: 'legacy-site' });
  await owner.revoke(gone, 'replaced by checkout-api');
  const { Api } = await import('./client');
  const api = new Api(app.server);
  for (let n = 0; n < 12; n++) await api.verify({ credential: checkout.secret, ip: `203.0.113.${n}`, method: 'GET', path: `/v2/orders/${n}`, user_agent: 'checkout/1.4' });
  await api.verify({ credential: checkout.secret, ip: '2001:db8::1', method: 'DELETE', path: '/v2/orders/7/and/a/path/that/is/longer/than/its/column', scopes: ['orders:delete'] });
  await api.verify({ credential: checkout.secret, ip: '198.51.100.7', method: 'GET', path: '/v2/orders' });
  await api.verify({ credential: rk.secret, scopes: ['orders:read'], method: 'GET', path: '/v2/orders' });
  await api.verify({ credential: gone.secret, method: 'GET', path: '/' });
  await api.verify({ credential: 'sk_live_typo', method: 'GET', path: '/' });
  await new Promise((r) => setTimeout(r, Math.max(0, Date.parse(`${soon}Z`) + 50 - Date.now())));
  await api.verify({ credential: old.secret, method: 'GET', path: '/' });
  await expect.poll(async () => (await (await owner.get('/usage')).text()).includes('The key has expired')).toBe(true);
  return checkout.id;
}

const signedIn = (path: string | ((id: string) => string), then: (app: App) => Promise<void> = async () => {}): State['show'] =>
  async (app) => {
    const id = await fill(app);
    await app.enter(typeof path === 'string' ? path : path(id));
    await then(app);
  };

async function fillForm(app: App): Promise<void> {
  await app.page.getByLabel('Name', { exact: true }).fill('nightly-export');
  await app.page.getByLabel(/^Other permissions/).fill('users:read');
}

export const STATES: State[] = [
  { name: 'setup', blank: true, show: (app) => app.visit(app.server.setupLink.replace(app.server.url, '')) },
  {
    name: 'setup refused',
    blank: true,
    show: async (app) => {
      await app.visit(app.server.setupLink.replace(app.server.url, ''));
      app.watch.expectStatus(422);
      await app.submit('Set up Keystead');
    },
  },
  {
    name: 'sign-in',
    show: async (app) => {
      await app.page.context().clearCookies({ name: 'keystead' });
      await app.visit('/login');
    },
  },
  {
    name: 'sign-in refused',
    show: async (app) => {
      await app.page.context().clearCookies({ name: 'keystead' });
      await app.visit('/login');
      await app.page.getByLabel('Email').fill(OWNER.email);
      await app.page.getByLabel('Password', { exact: true }).fill('wrong');
      app.watch.expectStatus(401);
      await app.submit('Sign in');
    },
  },
  {
    name: 'keys, none yet',
    show: async (app) => {
      // Bootstrap makes two live keys; the test environment has none.
      await app.enter('/keys');
      if (!(await app.page.getByText('Test mode.').isVisible())) await app.submit('Test', app.page.getByRole('banner'));
    },
  },
  { name: 'keys', show: signedIn('/keys') },
  { name: 'keys, no match', show: signedIn('/keys?q=zzz&state=revoked') },
  { name: 'new key', show: signedIn('/keys/new') },
  {
    name: 'new key, everything open',
    show: signedIn('/keys/new', async ({ page }) => {
      await page.locator('details.perm__more summary').click();
      await page.getByText('Custom', { exact: true }).click();
    }),
  },
  {
    name: 'new key refused',
    show: signedIn('/keys/new', async (app) => {
      await app.page.getByLabel(/^Other permissions/).fill('two:many:colons');
      await app.page.getByText('Custom', { exact: true }).click();
      await app.page.getByLabel(/^Allowed addresses/).fill('203.0.113.0/33');
      app.watch.expectStatus(422);
      await app.submit('Create key');
    }),
  },
  {
    name: 'secret',
    show: signedIn('/keys/new', async (app) => {
      await fillForm(app);
      await app.submit('Create key');
      // Who leaves this page is asked; who ticks is not.
      await app.page.getByRole('checkbox', { name: /^I have stored it/ }).check();
    }),
  },
  {
    name: 'secret, shown',
    show: signedIn('/keys/new', async (app) => {
      await fillForm(app);
      await app.submit('Create key');
      await app.page.getByRole('checkbox', { name: /^I have stored it/ }).check();
      await app.page.getByText('Show', { exact: true }).click();
    }),
  },
  {
    name: 'form used before',
    show: signedIn('/keys/new', async (app) => {
      await fillForm(app);
      await app.submit('Create key');
      await app.page.getByRole('checkbox', { name: /^I have stored it/ }).check();
      app.watch.expectStatus(409);
      await app.through(() => app.page.reload());
    }),
  },
  { name: 'key', show: signedIn((id) => `/keys/${id}`) },
  { name: 'revoke', show: signedIn((id) => `/keys/${id}/revoke`) },
  {
    name: 'revoke refused',
    show: signedIn((id) => `/keys/${id}/revoke`, async (app) => {
      app.watch.expectStatus(422);
      await app.submit('Revoke key');
    }),
  },
  {
    name: 'revoked before',
    show: signedIn('/keys?q=legacy-site', async (app) => {
      const href = await app.page.getByRole('link', { name: 'legacy-site' }).getAttribute('href');
      await app.visit(`${href}/revoke`);
    }),
  },
  { name: 'usage', show: signedIn('/usage') },
  {
    name: 'usage, filtered and opened',
    show: signedIn('/usage?outcome=denied', async ({ page }) => page.locator('summary', { hasText: 'DELETE' }).click()),
  },
  { name: 'usage, no match', show: signedIn('/usage?request_id=none') },
  { name: 'usage, none yet', show: async (app) => app.enter('/usage') },
  { name: 'audit', show: signedIn('/audit', async ({ page }) => page.locator('summary').first().click()) },
  {
    name: 'not found',
    show: async (app) => {
      app.watch.expectStatus(404);
      await app.visit('/nothing');
    },
  },
  {
    name: 'key not found',
    show: async (app) => {
      app.watch.expectStatus(404);
      await app.enter('/keys/key_00000000000000000000000000000000');
    },
  },
];
