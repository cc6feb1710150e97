import { defineConfig } from '@playwright/test';
import type { Options } from './fixtures';

/** Chromium of the system; the headless shell that Playwright would download is not needed. */
const launchOptions = {
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};
const postgres = process.env.KEYSTEAD_TEST_POSTGRES_URL;

/** `scripts/e2e.sh` runs this; `npx playwright test -c end2end -g "wrong password"` runs a part. */
export default defineConfig<Options>({
  testDir: 'tests',
  outputDir: '../target/e2e',
  workers: 2,
  fullyParallel: true,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 5_000 },
  forbidOnly: !!process.env.CI,
  reporter: 'list',
  use: {
    browserName: 'chromium',
    launchOptions,
    viewport: { width: 1440, height: 900 },
    contextOptions: { reducedMotion: 'reduce' },
    // Recording costs a third of the time; `--trace on` when a failure needs to be looked at.
    screenshot: 'only-on-failure',
  },
  projects: [
    { name: 'sqlite', use: { database: 'sqlite' } },
    // The console is the same on both; the journey shows that the whole way through works on PostgreSQL too.
    ...(postgres ? [{ name: 'postgres', use: { database: 'postgres' as const }, grep: /@journey/ }] : []),
  ],
});
