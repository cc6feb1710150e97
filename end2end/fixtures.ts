/**
 * What every test gets: an installation and a server of its own (a copy of one prepared per worker, so that it takes a
 * fraction of a second), and a browser whose complaints fail the test.
 */

import { test as base, expect, type BrowserContextOptions, type Locator, type Page } from '@playwright/test';
import { Api, Session, type KeyFields, type MadeKey } from './support/client';
import { Installation, OWNER, type Database, type Server } from './support/installation';
import { fill } from './support/filled';
import { Watch } from './support/watch';

export { expect, OWNER };
export type { Page, Locator, Server, MadeKey };

export type Options = {
  /** Where the installation keeps its data. */
  database: Database;
};

type TestOptions = {
  /** What there is before the test: nothing; a tenant with its owner and two keys; that with keys and requests of every sort. */
  begin: 'empty' | 'bootstrapped' | 'filled';
};

/** The console in a browser, with or without script. */
export class App {
  constructor(
    readonly page: Page,
    readonly server: Server,
    readonly js: boolean,
    readonly watch: Watch,
    readonly owner: () => Promise<Session>,
  ) {}

  /** The page has arrived, and its islands and behaviours are ready where script runs. */
  async ready(): Promise<void> {
    await this.page.waitForLoadState('load');
    if (this.js) await this.page.waitForSelector('html[data-hydrated]', { state: 'attached', timeout: 15_000 });
  }

  async visit(path: string): Promise<void> {
    await this.page.goto(this.server.url + path);
    await this.ready();
  }

  /** Does something that loads another document, and waits until that has arrived. */
  async through(act: () => Promise<unknown>): Promise<void> {
    await this.page.evaluate(() => document.documentElement.setAttribute('data-left', ''));
    await act();
    await this.page.waitForSelector('html:not([data-left])', { state: 'attached', timeout: 15_000 });
    await this.ready();
  }

  /** Sends a form. */
  submit(name: string | RegExp, within: Page | Locator = this.page.locator('main')): Promise<void> {
    return this.through(() => within.getByRole('button', { name }).click());
  }

  /** Signs in as people do. */
  async signIn(): Promise<void> {
    await this.visit('/login');
    await this.page.getByLabel('Email').fill(OWNER.email);
    await this.page.getByLabel('Password', { exact: true }).fill(OWNER.password);
    await this.submit('Sign in');
    await expect(this.page).toHaveURL('/keys');
  }

  /** Signs in without going through the page, where signing in is not what the test is about. */
  async enter(path?: string): Promise<void> {
    await (await this.owner()).enter(this.page.context());
    if (path !== undefined) await this.visit(path);
  }

  /** Makes a key beside the browser. */
  async createKey(fields: KeyFields): Promise<MadeKey> {
    return (await this.owner()).createKey(fields);
  }

  get heading(): Locator {
    return this.page.getByRole('heading', { level: 1 });
  }
}

type Fixtures = {
  /** Starts a server on an installation; both are gone after the test, however it ends. */
  started: (installation: Installation) => Promise<Server>;
  server: Server;
  api: Api;
  owner: Session;
  watch: Watch;
  app: App;
  /** Another browser, watched like the first. */
  another: (options?: BrowserContextOptions) => Promise<App>;
};

type WorkerFixtures = {
  /** Makes an installation for one test. */
  begun: (begin: TestOptions['begin']) => Promise<Installation>;
  /** A well-formed key of another installation. */
  foreignKey: string;
};

export const test = base.extend<Fixtures & TestOptions, WorkerFixtures & Options>({
  database: ['sqlite', { option: true, scope: 'worker' }],
  begin: ['bootstrapped', { option: true }],

  begun: [
    async ({ database }, use) => {
      const bootstrapped = await Installation.bootstrapped(database);
      let filled: Promise<Installation> | undefined;
      const fillOne = async () => {
        const installation = await bootstrapped.copy();
        const server = await installation.serve();
        await fill(await Session.signIn(server), new Api(server));
        await server.drain();
        return installation;
      };
      await use(async (begin) => {
        if (begin === 'empty') return Installation.empty(database);
        return (begin === 'filled' ? await (filled ??= fillOne()) : bootstrapped).copy();
      });
      await (await filled)?.remove();
      await bootstrapped.remove();
    },
    { scope: 'worker' },
  ],

  foreignKey: [
    async ({ database }, use) => {
      const other = await Installation.bootstrapped(database);
      await use(other.keys!.api_key);
      await other.remove();
    },
    { scope: 'worker' },
  ],

  started: async ({}, use) => {
    const servers: Server[] = [];
    await use(async (installation) => {
      const server = await installation.serve();
      servers.push(server);
      return server;
    });
    for (const server of servers) await server.stop();
    for (const { installation } of servers) await installation.remove();
  },

  server: async ({ begun, begin, started }, use) => use(await started(await begun(begin))),

  baseURL: async ({ server }, use) => use(server.url),

  api: async ({ server }, use) => use(new Api(server)),

  owner: async ({ app }, use) => use(await app.owner()),

  watch: async ({ context, javaScriptEnabled }, use) => {
    const watch = new Watch(context, javaScriptEnabled !== false);
    await use(watch);
    watch.quiet();
  },

  app: async ({ page, server, javaScriptEnabled, watch }, use) => {
    let session: Promise<Session> | undefined;
    await use(new App(page, server, javaScriptEnabled !== false, watch, () => (session ??= Session.signIn(server))));
  },

  another: async ({ browser, server, javaScriptEnabled, baseURL }, use) => {
    const opened: { close: () => Promise<void>; watch: Watch }[] = [];
    let session: Promise<Session> | undefined;
    await use(async (options) => {
      const context = await browser.newContext({ javaScriptEnabled, baseURL, ...options });
      const js = (options?.javaScriptEnabled ?? javaScriptEnabled) !== false;
      const watch = new Watch(context, js);
      opened.push({ close: () => context.close(), watch });
      return new App(await context.newPage(), server, js, watch, () => (session ??= Session.signIn(server)));
    });
    for (const { close, watch } of opened) {
      await close();
      watch.quiet();
    }
  },
});

/** The same promises with script and without. */
export function both(tests: (js: boolean) => void): void {
  for (const js of [true, false]) {
    test.describe(js ? 'with JavaScript' : 'without JavaScript', () => {
      test.use({ javaScriptEnabled: js });
      tests(js);
    });
  }
}

/** The whole secret that stands in a text. */
export function secretIn(text: string): string | undefined {
  return /\b(?:sk|rk|tk|gk)_(?:[a-z0-9-]+_)?[0-9A-Za-z]{38,}\b/.exec(text)?.[0];
}
