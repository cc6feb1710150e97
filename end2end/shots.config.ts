import { defineConfig } from '@playwright/test';
import tests from './playwright.config';

/** Screenshots of every page into target/shots, and the README's: `npx playwright test -c end2end/shots.config.ts`. */
export default defineConfig({
  ...tests,
  testDir: 'shots',
  workers: 1,
  timeout: 300_000,
  projects: [{ name: 'sqlite' }],
});
