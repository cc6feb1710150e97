import { both, expect, test } from '../fixtures';
import { appSecretIn } from '../support/client';
import { LOGO } from '../support/logo';

/** Asks for a token of the app's own. */
async function status(url: string, id: string, secret: string): Promise<number> {
  const authorization = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  const body = new URLSearchParams({ grant_type: 'client_credentials' });
  return (await fetch(`${url}/oauth/token`, { method: 'POST', headers: { authorization }, body })).status;
}

both((js) => {
  test('an app is registered, shows its secret once, is edited, rotated, suspended, resumed and deleted', async ({ app, page, server }) => {
    await app.enter('/apps');
    await expect(page.getByRole('heading', { name: 'No OAuth apps yet' })).toBeVisible();
    await app.through(() => page.getByRole('main').getByRole('link', { name: 'Register an app' }).click());
    await expect(app.heading).toHaveText('Register an app');
    await expect(page.getByRole('checkbox', { name: 'Require PKCE' })).toBeChecked();

    await page.getByLabel('Name', { exact: true }).fill('Ledger Sync');
    await page.getByLabel('Redirect URIs').fill('http://ledger.example/callback');
    await page.getByRole('checkbox', { name: /^openid/ }).check();
    await page.getByLabel(/^Other permissions/).fill('contacts:read');
    app.watch.expectStatus(422);
    await app.submit('Register app');
    await expect(page.getByRole('alert')).toContainText('One field needs a change');
    await expect(page.getByLabel('Redirect URIs')).toHaveValue('http://ledger.example/callback');
    await expect(page.getByLabel('Redirect URIs')).toHaveAccessibleDescription(/https:\/\//);
    await expect(page.getByRole('checkbox', { name: /^openid/ })).toBeChecked();
    await page.getByLabel('Redirect URIs').fill('https://ledger.example/callback');
    await app.submit('Register app');

    await expect(app.heading).toHaveText('Store the secret now');
    await expect(page.locator('#secret')).toBeHidden();
    await page.getByText('Show', { exact: true }).click();
    await expect(page.locator('#secret')).toBeVisible();
    const secret = (await page.locator('#secret').textContent())!;
    const id = /app_[0-9a-f]{32}/.exec(await page.getByRole('main').innerText())![0];
    expect(await status(server.url, id, secret)).toBe(200);
    await page.getByRole('checkbox', { name: /^I have stored it/ }).check();

    await test.step('s31: sent again, the form registers nothing and shows nothing', async () => {
      await app.through(() => page.reload());
      await expect(app.heading).toHaveText('This form was already used');
      expect(appSecretIn(await page.content())).toBeUndefined();
    });
    await app.through(() => page.getByRole('link', { name: 'Go to the app' }).click());
    await expect(app.heading).toHaveText('Ledger Sync');
    expect(appSecretIn(await page.content())).toBeUndefined();

    await app.through(() => page.getByRole('main').getByRole('link', { name: 'Edit' }).first().click());
    await page.getByLabel('Name', { exact: true }).fill('Ledger');
    await page.getByLabel('Redirect URIs').fill('https://ledger.example/callback\nhttps://ledger.example/second');
    await app.submit('Save changes');
    await expect(app.heading).toHaveText('Ledger');
    await expect(page.getByRole('status').filter({ hasText: 'The changes are saved.' })).toBeVisible();
    await expect(page.getByRole('main')).toContainText('https://ledger.example/second');

    await app.through(() => page.getByRole('link', { name: 'Rotate secret' }).click());
    await page.getByText('1 hour', { exact: true }).click();
    await app.submit('Rotate secret');
    const fresh = (await page.locator('#secret').textContent())!;
    expect(fresh).not.toBe(secret);
    expect([await status(server.url, id, secret), await status(server.url, id, fresh)]).toEqual([200, 200]);
    await page.getByRole('checkbox', { name: /^I have stored it/ }).check();
    await app.submit('Go to the app');
    await expect(page.getByRole('main')).toContainText('works until');

    await page.getByLabel(/^Reason/).fill('looked odd');
    await app.submit('Suspend app');
    await expect(page.getByText('This app is suspended.')).toBeVisible();
    expect(await status(server.url, id, fresh)).toBe(401);
    await app.submit('Resume');
    await expect(page.getByText('The app is in use again.')).toBeVisible();
    expect(await status(server.url, id, fresh)).toBe(200);

    await page.getByLabel(/^Type/).fill('Ledger Sync');
    await app.submit('Delete app');
    await expect(page.getByLabel(/^Type/)).toHaveAccessibleDescription(/Type the name of the app, Ledger/);
    await page.getByLabel(/^Type/).fill('Ledger');
    await app.submit('Delete app');
    await expect(page).toHaveURL('/apps?deleted=1');
    await expect(page.getByText('The app is deleted.')).toBeVisible();
    expect(await status(server.url, id, fresh)).toBe(401);
  });

  test('a form shows what its kind has use for', async ({ app, page }) => {
    await app.enter('/apps/new');
    const redirects = page.getByLabel('Redirect URIs');
    await page.getByRole('radio', { name: /^Machine/ }).check();
    await expect(redirects).toBeHidden();
    await expect(page.getByRole('checkbox', { name: 'Require PKCE' })).toBeHidden();
    await page.getByRole('radio', { name: /^Public/ }).check();
    await expect(redirects).toBeVisible();
    await expect(page.getByText('Public apps always use PKCE')).toBeVisible();
    await page.getByLabel('Name', { exact: true }).fill('Field App');
    await redirects.fill('com.example.field:/callback');
    await page.getByLabel(/^Other permissions/).fill('orders:read');
    await app.submit('Register app');
    await expect(page.getByText('The app is registered.')).toBeVisible();
    await expect(page.getByRole('link', { name: 'Rotate secret' })).toHaveCount(0);
    if (js) await expect(page.getByRole('button', { name: 'Copy client id' }).first()).toBeVisible();
  });

  test('a logo is uploaded, refused for what it is, shown to who is asked, and removed', async ({ app, page }) => {
    const owner = await app.owner();
    const made = await owner.registerApp({ name: 'Ledger Sync', scopes: 'openid contacts:read' });
    await app.enter(`/apps/${made.id}`);
    await app.through(() => page.getByRole('link', { name: 'Add logo' }).click());
    await expect(app.heading).toHaveText('Logo of Ledger Sync');
    const file = page.getByLabel('Picture', { exact: true });
    await file.setInputFiles({ name: 'logo.png', mimeType: 'image/png', buffer: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>') });
    app.watch.expectStatus(422);
    await app.submit('Save logo');
    await expect(page.getByRole('alert')).toContainText('One field needs a change');
    await expect(file).toHaveAccessibleDescription(/A logo is a PNG, JPEG or WebP picture/);
    await file.setInputFiles({ name: 'logo', mimeType: 'application/octet-stream', buffer: LOGO });
    await app.submit('Save logo');
    await expect(page.getByRole('status').filter({ hasText: 'The logo is saved.' })).toBeVisible();
    const shown = page.locator('img.appmark');
    await expect(shown).toHaveJSProperty('naturalWidth', 128);
    await app.visit('/apps');
    await expect(shown).toHaveJSProperty('complete', true);
    await expect(page.getByRole('link', { name: 'Ledger Sync' }), 'the picture says nothing that the name does not').toBeVisible();
    await app.visit(`/oauth/authorize?client_id=${made.id}&redirect_uri=https%3A%2F%2Fledger.example%2Fcallback&response_type=code&state=x&scope=openid&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256`);
    await expect(app.heading).toHaveText('Allow Ledger Sync to act for you in Acme?');
    await expect(page.locator('img.appmark--lg')).toHaveJSProperty('naturalWidth', 128);
    await app.visit(`/apps/${made.id}/logo`);
    await app.submit('Remove logo');
    await expect(page.getByRole('status').filter({ hasText: 'The logo is removed.' })).toBeVisible();
    await expect(shown).toHaveCount(0);
  });

  test('origins are listed one a line, and a wrong one comes back with its right form', async ({ app, page, server }) => {
    const owner = await app.owner();
    const made = await owner.registerApp({ name: 'Ledger Sync', scopes: 'openid contacts:read' });
    const from = async (origin: string) => {
      const authorization = `Basic ${Buffer.from(`${made.id}:${made.secret}`).toString('base64')}`;
      const body = new URLSearchParams({ grant_type: 'client_credentials' });
      return (await fetch(`${server.url}/oauth/token`, { method: 'POST', headers: { authorization, origin }, body })).status;
    };
    expect(await from('https://other.example')).toBe(200);
    await app.enter(`/apps/${made.id}/edit`);
    await page.locator('details.further summary').click();
    const origins = page.getByLabel(/^Origins/);
    await origins.fill('https://ledger.example/app');
    app.watch.expectStatus(422);
    await app.submit('Save changes');
    await expect(origins).toBeVisible();
    await expect(origins).toHaveValue('https://ledger.example/app');
    await expect(origins).toHaveAccessibleDescription(/An origin has no path: https:\/\/ledger\.example\./);
    await origins.fill('https://ledger.example\nhttp://localhost:5173');
    await app.submit('Save changes');
    await expect(page.getByText('The changes are saved.')).toBeVisible();
    await expect(page.getByRole('main')).toContainText('http://localhost:5173');
    expect([await from('https://ledger.example'), await from('https://other.example')]).toEqual([200, 400]);
  });

  test('the later of two saves is refused, and what was typed is kept', async ({ app, page }) => {
    const owner = await app.owner();
    const made = await owner.registerApp({ name: 'Ledger Sync', scopes: 'openid contacts:read' });
    await app.enter(`/apps/${made.id}/edit`);
    const fields = { name: 'Ledger by somebody else', redirect_uris: 'https://ledger.example/callback', more_scopes: 'openid', access_token_seconds: '', refresh_token_days: '' };
    await owner.post(`/apps/${made.id}/edit`, fields);
    await page.getByLabel('Name', { exact: true }).fill('Ledger by me');
    app.watch.expectStatus(409);
    await app.submit('Save changes');
    await expect(page.getByRole('alert')).toContainText('The app was changed since this form was opened, and nothing was saved.');
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Ledger by me');
    await app.visit(`/apps/${made.id}/edit`);
    await expect(page.getByLabel('Name', { exact: true })).toHaveValue('Ledger by somebody else');
  });

  test('a machine is offered no sign-in, and its keys where it signs', async ({ app, page }) => {
    await app.enter('/apps/new');
    await page.getByRole('radio', { name: /^Machine/ }).check();
    await expect(page.getByRole('checkbox', { name: /^openid/ })).toBeHidden();
    await page.locator('details.further summary').click();
    const keys = page.getByLabel(/public keys/);
    await expect(keys).toBeHidden();
    await expect(page.getByLabel(/^Origins/)).toBeHidden();
    await page.getByLabel('How it proves who it is').selectOption('private_key_jwt');
    await expect(keys).toBeVisible();
  });

  test('what was allowed is taken back under Account, Grants, and on the page of the app', async ({ app, page }) => {
    const owner = await app.owner();
    const made = await owner.registerApp({ name: 'Ledger Sync', scopes: 'openid contacts:read' });
    await owner.allow(made, 'openid contacts:read');
    await app.enter('/account');
    await app.through(() => page.getByRole('navigation', { name: 'Account' }).getByRole('link', { name: 'Grants' }).click());
    await expect(app.heading).toHaveText('Grants');
    await expect(page.getByRole('listitem').filter({ hasText: 'Ledger Sync' })).toContainText('contacts:read');
    await app.submit('Revoke Ledger Sync in Acme');
    await expect(page.getByRole('heading', { name: 'You have allowed no app anything' })).toBeVisible();

    await owner.allow(made, 'openid');
    await app.visit(`/apps/${made.id}`);
    await app.submit('Revoke the grant of owner@acme.test');
    await expect(page.getByText('The grant is revoked.')).toBeVisible();
    await expect(page.getByText('Nobody in this tenant has allowed it anything yet.')).toBeVisible();
  });
});
