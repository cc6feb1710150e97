import { both, expect, test } from '../fixtures';
import { appSecretIn } from '../support/client';

both((js) => {
  test('an app is tried: the real page asks, each step is told, and nothing stays', async ({ app, page }) => {
    const owner = await app.owner();
    const made = await owner.registerApp({ name: 'Ledger Sync', scopes: 'openid email users:read' });
    await app.enter(`/apps/${made.id}`);
    await app.through(() => page.getByRole('link', { name: 'Try it' }).click());
    await expect(app.heading).toHaveText('Try Ledger Sync');
    await expect(page.getByText('Everything ends')).toBeVisible();
    await page.getByRole('checkbox', { name: 'email' }).uncheck();
    await app.submit('Try it');
    await expect(app.heading).toHaveText('Allow Ledger Sync to act for you in Acme?');
    await expect(page.getByText('What you allow here ends with it.')).toBeVisible();
    await expect(page.getByText('See your email address')).toHaveCount(0);
    await app.submit('Allow access');
    await expect(page).toHaveURL(`/apps/${made.id}/try`);
    await expect(page.getByRole('status').filter({ hasText: 'It works.' })).toBeVisible();
    await expect(page.getByText('Done', { exact: true })).toHaveCount(6);
    await page.getByText('Access token, read').click();
    await expect(page.locator('#wire-access')).toContainText('"typ": "at+jwt"');
    await expect(page.locator('#wire-access')).toContainText('(signature)');
    await expect(page.locator('#wire-decision')).toContainText('"code": "VALID"');
    await page.getByText('Verifier and challenge').click();
    await expect(page.locator('#wire-pkce')).toContainText('base64url(sha256(');
    expect(appSecretIn(await page.content())).toBeUndefined();
    if (js) await expect(page.getByRole('button', { name: 'Copy it' }).first()).toBeVisible();
    await app.through(() => page.reload());
    await expect(page.getByText('It works.')).toBeVisible();
  });

  test('a trial is denied, stopped, and can be allowed no more then', async ({ app, page }) => {
    const owner = await app.owner();
    const made = await owner.registerApp({ name: 'Ledger Sync', scopes: 'openid users:read' });
    const here = `/apps/${made.id}/try`;
    await app.enter(here);
    await app.submit('Try it');
    await app.submit('Deny');
    await expect(page.getByText('You said no.')).toBeVisible();
    await expect(page.getByText('access_denied', { exact: true })).toBeVisible();
    await expect(page.getByText('Not reached', { exact: true })).toHaveCount(4);

    await app.submit('Try it again');
    const old = page.url();
    await app.visit(here);
    await expect(page.getByText('A trial is waiting for your answer.')).toBeVisible();
    await app.submit('Stop');
    await expect(page.getByText('Stopped. Nothing was issued.')).toBeVisible();
    app.watch.expectStatus(409);
    await page.goto(old);
    await app.ready();
    await expect(page.getByText('This request is over')).toBeVisible();

    await app.visit(here);
    for (const box of await page.getByRole('checkbox').all()) await box.uncheck();
    app.watch.expectStatus(422);
    await app.submit('Try it');
    await expect(page.getByRole('alert')).toContainText('Choose what it asks for');
  });

  test('a machine app tries its own token, a suspended one nothing', async ({ app, page }) => {
    const owner = await app.owner();
    const made = await owner.registerApp({ name: 'Report Runner', kind: 'machine', redirect_uris: '', scopes: 'exports:read' });
    await app.enter(`/apps/${made.id}/try`);
    await app.submit('Try it');
    await expect(page.getByText('It works.')).toBeVisible();
    await expect(page.getByText('Done', { exact: true })).toHaveCount(4);
    await expect(page.locator('#wire-exchange')).toContainText('grant_type=client_credentials');
    await owner.post(`/apps/${made.id}`, { act: 'suspend', reason: '' });
    await app.visit(`/apps/${made.id}/try`);
    await expect(app.heading).toHaveText('Report Runner cannot be tried');
    await expect(page.getByRole('main').getByRole('button')).toHaveCount(0);
  });
});
