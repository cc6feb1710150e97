/** Every page of the console in every state that looks different: what the tests of appearance go through. */

import { OWNER, type App } from '../fixtures';
import { LOGO } from './logo';
import { authorize, register } from './oauth';

export type State = {
  name: string;
  /** What there is; everything, if nothing is said. */
  begin?: 'empty' | 'bootstrapped';
  /** Leads the browser there. Runs more than once. */
  show: (app: App) => Promise<void>;
};

/** The page of the key that is called with most. */
async function checkout(app: App): Promise<string> {
  const listed = await (await (await app.owner()).get('/keys?q=checkout-api')).text();
  return /href="\/keys\/(key_[0-9a-f]{32})"/.exec(listed)![1];
}

/** An app that somebody allowed something; made once. */
async function ledger(app: App): Promise<string> {
  const owner = await app.owner();
  const listed = await (await owner.get('/apps')).text();
  const there = /href="\/apps\/(app_[0-9a-f]{32})"[^>]*title="Ledger Sync"/.exec(listed)?.[1];
  if (there) return there;
  const made = await owner.registerApp({ name: 'Ledger Sync', scopes: 'openid email offline_access users:read contacts:read', home_page: 'https://ledger.example/about' });
  await owner.allow(made, 'openid users:read contacts:read');
  await owner.setLogo(made, LOGO);
  await owner.registerApp({ name: 'Field App', kind: 'public', redirect_uris: 'com.example.field:/callback\nhttp://127.0.0.1/callback' });
  const report = await owner.registerApp({ name: 'Report Runner with a name that is as long as somebody will type', kind: 'machine', redirect_uris: '', scopes: 'exports:read' });
  await owner.post(`/apps/${report.id}`, { act: 'suspend', reason: 'paused' });
  return made.id;
}

const onLedger = (path: (id: string) => string, then: (app: App) => Promise<void> = async () => {}): State['show'] =>
  async (app) => {
    await app.enter(path(await ledger(app)));
    await then(app);
  };

/** The first of the members. */
async function member(app: App): Promise<string> {
  const listed = await (await (await app.owner()).get('/members')).text();
  return /href="\/members\/(usr_[0-9a-f]{32})"/.exec(listed)![1];
}

const signedIn = (path: string | ((id: string) => string), then: (app: App) => Promise<void> = async () => {}): State['show'] =>
  async (app) => {
    await app.enter(typeof path === 'string' ? path : path(await checkout(app)));
    await then(app);
  };

async function fillForm(app: App): Promise<void> {
  await app.page.getByLabel('Name', { exact: true }).fill('nightly-export');
  await app.page.getByLabel(/^Other permissions/).fill('users:read');
}

export const STATES: State[] = [
  {
    name: 'consent',
    show: async (app) => {
      const redirect = 'https://ledger-sync.example/callback';
      const client = await register(app, { redirect_uris: [redirect], home_page: 'https://ledger-sync.example/' });
      await app.enter(authorize(client, redirect));
    },
  },
  { name: 'setup', begin: 'empty', show: (app) => app.visit(app.server.setupLink.replace(app.server.url, '')) },
  {
    name: 'setup refused',
    begin: 'empty',
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
    begin: 'bootstrapped',
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
      await page.locator('#expires').getByText('Custom', { exact: true }).click();
    }),
  },
  {
    name: 'new key refused',
    show: signedIn('/keys/new', async (app) => {
      await app.page.getByLabel(/^Other permissions/).fill('two:many:colons');
      await app.page.locator('#expires').getByText('Custom', { exact: true }).click();
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
  { name: 'keys, filtered and ordered', show: signedIn('/keys?kind=restricted&sort=name') },
  {
    name: 'keys, chosen',
    show: signedIn('/keys', async ({ page }) => {
      for (const box of (await page.getByRole('checkbox', { name: /^Select (edge|checkout-api)$/ }).all())) await box.check();
    }),
  },
  { name: 'keys, a queue', show: signedIn('/keys?queue=expiring') },
  { name: 'keys, an empty queue', show: signedIn('/keys?queue=old') },
  { name: 'revoke several', show: signedIn('/keys/revoke?all=1') },
  {
    name: 'revoke several, refused',
    show: signedIn('/keys/revoke?all=1', async (app) => {
      app.watch.expectStatus(422);
      await app.submit(/^Revoke \d+ keys$/);
    }),
  },
  { name: 'revoke several, none chosen', show: signedIn('/keys/revoke') },
  { name: 'edit', show: signedIn((id) => `/keys/${id}/edit`) },
  {
    name: 'edit, with its impact',
    show: signedIn((id) => `/keys/${id}/edit`, async (app) => {
      await app.page.getByLabel(/^Allowed addresses/).fill('198.51.100.0/24');
      await app.submit('Preview impact');
    }),
  },
  { name: 'rotate', show: signedIn((id) => `/keys/${id}/rotate`) },
  {
    name: 'key while it is rotated',
    show: async (app) => {
      const id = await checkout(app);
      const owner = await app.owner();
      const html = await (await owner.get(`/keys/${id}/rotate`)).text();
      const secret = /name="secret" value="(\w+)"/.exec(html)![1];
      if (!(await (await owner.get(`/keys/${id}`)).text()).includes('both secrets work')) {
        await owner.post(`/keys/${id}/rotate`, { grace: '86400', secret });
      }
      await app.enter(`/keys/${id}`);
    },
  },
  { name: 'retire, nothing old', show: signedIn((id) => `/keys/${id}/retire`) },
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
  { name: 'overview', show: signedIn('/') },
  { name: 'overview, nothing yet', begin: 'bootstrapped', show: async (app) => app.enter('/?range=30d') },
  { name: 'usage', show: signedIn('/usage') },
  {
    name: 'usage, filtered, with the numbers of the chart',
    show: signedIn('/usage?outcome=denied&path=%2Fv2', async ({ page }) => page.getByText('As table', { exact: true }).click()),
  },
  {
    name: 'usage refused',
    show: async (app) => {
      app.watch.expectStatus(422);
      await app.enter('/usage?ip=203.0.113.7%2F24&from=yesterday');
    },
  },
  {
    name: 'event',
    show: signedIn('/usage?outcome=denied', async (app) => {
      await app.through(() => app.page.getByRole('link', { name: /^DELETE/ }).click());
      await app.page.getByText('As JSON', { exact: true }).click();
    }),
  },
  { name: 'usage, no match', show: signedIn('/usage?request_id=none') },
  { name: 'usage, none yet', begin: 'bootstrapped', show: async (app) => app.enter('/usage') },
  { name: 'audit', show: signedIn('/audit', async ({ page }) => page.getByRole('row').locator('summary').first().click()) },
  { name: 'audit, filtered and verified', show: signedIn('/audit?action=api_key.created&actor=owner%40acme.test&verify=1') },
  { name: 'leak desk', show: signedIn('/leaks') },
  {
    name: 'leak desk, with what was found',
    show: signedIn('/leaks', async (app) => {
      const { secret } = await app.createKey({ name: 'stock-report' });
      await app.page.getByLabel('Text that may hold a key').fill(`+KEY=${secret}\n`);
      await app.submit('Check text');
    }),
  },
  {
    name: 'leak report',
    show: signedIn('/leaks', async (app) => {
      const { secret } = await app.createKey({ name: 'stock-report' });
      await app.page.getByLabel('Text that may hold a key').fill(`+KEY=${secret}\n`);
      await app.submit('Check text');
      await app.submit('Report leak');
    }),
  },
  { name: 'permissions', show: signedIn('/settings/scopes') },
  { name: 'permissions, one edited', show: signedIn('/settings/scopes?edit=read') },
  { name: 'allowlist', show: signedIn('/settings/allowlist') },
  {
    name: 'allowlist reviewed',
    show: signedIn('/settings/allowlist', async (app) => {
      await app.page.getByLabel(/^Allowed addresses/).fill('192.0.2.0/24');
      await app.submit('Review change');
    }),
  },
  { name: 'account', show: signedIn('/account') },
  { name: 'two-factor off', show: signedIn('/account/two-factor') },
  { name: 'two-factor begun', show: signedIn('/account/two-factor', (app) => app.submit('Set up an authenticator app')) },
  { name: 'sessions', show: signedIn('/account/sessions') },
  { name: 'another address', show: signedIn('/account/email') },
  {
    name: 'forgotten password',
    show: async (app) => {
      await app.page.context().clearCookies({ name: 'keystead' });
      await app.visit('/forgot');
    },
  },
  { name: 'mails', show: signedIn('/platform/mails') },
  { name: 'help for accounts', show: signedIn('/platform/recovery') },
  { name: 'members', show: signedIn('/members') },
  {
    name: 'member invited',
    show: signedIn('/members', async (app) => {
      await app.page.getByLabel('Email').fill('new@acme.test');
      await app.submit('Invite');
    }),
  },
  {
    name: 'invitation refused',
    show: signedIn('/members', async (app) => {
      await app.page.getByLabel('Email').fill('nobody');
      app.watch.expectStatus(422);
      await app.submit('Invite');
    }),
  },
  { name: 'member', show: async (app) => app.enter(`/members/${await member(app)}`) },
  {
    name: 'invitation',
    show: async (app) => {
      const link = await (await app.owner()).invite('asked@acme.test', 'developer');
      await app.page.context().clearCookies({ name: 'keystead' });
      await app.visit(link);
    },
  },
  {
    name: 'invitation that does not work',
    show: async (app) => {
      await app.page.context().clearCookies({ name: 'keystead' });
      await app.visit('/invitations/accept?token=old');
    },
  },
  { name: 'your tenants', show: signedIn('/tenants') },
  { name: 'tenant', show: signedIn('/settings/tenant') },
  { name: 'policies', show: signedIn('/settings/policies') },
  {
    name: 'policies reviewed',
    show: signedIn('/settings/policies', async (app) => {
      await app.page.getByLabel(/^Keys expire within/).fill('30');
      await app.page.getByLabel('A member answers for each key').check();
      await app.submit('Review change');
    }),
  },
  { name: 'tenants', show: signedIn('/platform/tenants') },
  { name: 'plans', show: signedIn('/platform/plans?edit=default') },
  {
    name: 'tenant of the installation',
    show: signedIn('/platform/tenants', (app) => app.through(() => app.page.locator('tbody .cover').first().click())),
  },
  { name: 'apps, none yet', begin: 'bootstrapped', show: async (app) => app.enter('/apps') },
  { name: 'apps', show: onLedger(() => '/apps') },
  { name: 'new app', show: onLedger(() => '/apps/new') },
  {
    name: 'new app, public, everything open',
    show: onLedger(() => '/apps/new', async ({ page }) => {
      await page.locator('details.perm__more summary').click();
      await page.locator('details.further summary').click();
      await page.getByRole('radio', { name: /^Public/ }).check();
    }),
  },
  {
    name: 'new app refused',
    show: onLedger(() => '/apps/new', async (app) => {
      await app.page.getByLabel('Redirect URIs').fill('http://ledger.example/callback');
      app.watch.expectStatus(422);
      await app.submit('Register app');
    }),
  },
  {
    name: 'secret of an app',
    show: onLedger(() => '/apps/new', async (app) => {
      await app.page.getByLabel('Name', { exact: true }).fill('Portal');
      await app.page.getByLabel('Redirect URIs').fill('https://portal.example/callback');
      await app.page.getByRole('checkbox', { name: /^openid/ }).check();
      await app.submit('Register app');
      await app.page.getByRole('checkbox', { name: /^I have stored it/ }).check();
    }),
  },
  { name: 'app', show: onLedger((id) => `/apps/${id}`) },
  {
    name: 'app, suspended',
    show: onLedger(() => '/apps', (app) => app.through(() => app.page.getByRole('link', { name: /^Report Runner/ }).click())),
  },
  {
    name: 'app, its deletion refused',
    show: onLedger((id) => `/apps/${id}`, async (app) => {
      app.watch.expectStatus(422);
      await app.submit('Delete app');
    }),
  },
  { name: 'try an app', show: onLedger((id) => `/apps/${id}/try`) },
  {
    name: 'app, tried',
    show: onLedger((id) => `/apps/${id}/try`, async (app) => {
      await app.submit(/^Try it/);
      await app.submit('Allow access');
      for (const more of await app.page.locator('details.more summary').all()) await more.click();
    }),
  },
  {
    name: 'app, tried in vain',
    show: onLedger((id) => `/apps/${id}/try`, async (app) => {
      await app.submit(/^Try it/);
      await app.submit('Deny');
    }),
  },
  {
    name: 'prove anew',
    show: async (app) => {
      const redirect = 'https://ledger-sync.example/callback';
      const client = await register(app, { redirect_uris: [redirect] });
      await app.enter(authorize(client, redirect, { prompt: 'login' }));
    },
  },
  { name: 'edit an app', show: onLedger((id) => `/apps/${id}/edit`) },
  {
    name: 'edit an app, everything open',
    show: onLedger((id) => `/apps/${id}/edit`, async ({ page }) => {
      await page.locator('details.further summary').click();
      await page.getByLabel('How it proves who it is').selectOption('private_key_jwt');
    }),
  },
  { name: 'logo of an app', show: onLedger((id) => `/apps/${id}/logo`) },
  {
    name: 'logo of an app, refused',
    show: onLedger((id) => `/apps/${id}/logo`, async (app) => {
      app.watch.expectStatus(422);
      await app.submit('Save logo');
    }),
  },
  { name: 'rotate the secret of an app', show: onLedger((id) => `/apps/${id}/rotate`) },
  { name: 'grants', show: onLedger(() => '/grants') },
  { name: 'grants, none yet', begin: 'bootstrapped', show: async (app) => app.enter('/grants') },
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
