import { both, expect, OWNER, test } from '../fixtures';
import { authorize, Callback, register } from '../support/oauth';

both(() => {
  test('an app asks, a person signs in and allows it, and it gets its tokens', async ({ app, page }) => {
    const callback = await Callback.start();
    const client = await register(app, { redirect_uris: [callback.url] });
    await app.visit(authorize(client, callback.url, { scope: 'openid users:read offline_access', nonce: 'n' }));
    await expect(app.heading).toHaveText('Sign in to Keystead');
    await page.getByLabel('Email').fill(OWNER.email);
    await page.getByLabel('Password', { exact: true }).fill('wrong');
    app.watch.expectStatus(401);
    await app.submit('Sign in');
    await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
    await app.submit('Sign in');
    await expect(app.heading).toHaveText('Allow Ledger Sync to act for you in Acme?');
    await expect(page.getByText('Go on while you are away')).toBeVisible();
    await page.getByRole('button', { name: 'Allow access' }).click();
    await expect(page.getByRole('heading', { name: 'Back at the app' })).toBeVisible();
    const answer = callback.queries.at(-1)!;
    expect([answer.get('state'), answer.get('iss')]).toEqual(['xyz', app.server.url]);
    const tokens = await fetch(`${app.server.url}/oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'authorization_code',
        code: answer.get('code')!,
        redirect_uri: callback.url,
        client_id: client.client_id,
        client_secret: client.client_secret,
      }),
    });
    const { access_token, refresh_token, id_token } = await tokens.json();
    expect([typeof access_token, typeof refresh_token, typeof id_token]).toEqual(['string', 'string', 'string']);
    const test = await fetch(`${app.server.url}/v1/auth/test`, { headers: { authorization: `Bearer ${access_token}` } });
    expect((await test.json()).scopes).toEqual(['openid', 'users:read', 'offline_access']);

    await page.goto(app.server.url + authorize(client, callback.url, { scope: 'openid' }));
    await expect(page.getByRole('heading', { name: 'Back at the app' }), 'what was allowed is not asked again').toBeVisible();
    expect(callback.queries.at(-1)!.get('code')).toMatch(/^ksc_/);
    await callback.stop();
  });

  test('a person says no, goes back, comes too late, or never asked for this', async ({ app, page }) => {
    const callback = await Callback.start();
    const client = await register(app, { redirect_uris: [callback.url] });
    await app.enter();
    await app.visit(authorize(client, callback.url));
    const asked = page.url();
    await page.getByRole('button', { name: 'Deny' }).click();
    await expect(page.getByRole('heading', { name: 'Back at the app' })).toBeVisible();
    expect(callback.queries.at(-1)!.get('error')).toBe('access_denied');
    app.watch.expectStatus(409);
    await page.goto(asked);
    await app.ready();
    await expect(page.getByText('This request is over')).toBeVisible();
    app.watch.expectStatus(400);
    await page.goto(app.server.url + authorize(client, 'https://evil.test/cb'));
    await app.ready();
    await expect(page.getByText('at an address that it has not registered')).toBeVisible();
    expect(callback.queries).toHaveLength(1);
    await callback.stop();
  });

  test('an app that wants a fresh proof gets one, by a page on the way', async ({ app, page }) => {
    const callback = await Callback.start();
    const client = await register(app, { redirect_uris: [callback.url] });
    await app.enter();
    await app.visit(authorize(client, callback.url, { prompt: 'login', scope: 'openid' }));
    await expect(app.heading).toHaveText('Confirm that it is you');
    await expect(page.getByRole('main')).toContainText('Ledger Sync asks who is there');
    await page.getByLabel('Password', { exact: true }).fill('wrong');
    app.watch.expectStatus(422);
    await app.submit('Confirm and continue');
    await expect(page.getByLabel('Password', { exact: true })).toHaveAccessibleDescription('This is not your password.');
    await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
    await app.submit('Confirm and continue');
    await expect(app.heading).toHaveText('Allow Ledger Sync to act for you in Acme?');
    await page.getByRole('button', { name: 'Allow access' }).click();
    await expect(page.getByRole('heading', { name: 'Back at the app' })).toBeVisible();
    expect(callback.queries.at(-1)!.get('code')).toMatch(/^ksc_/);

    await test.step('s55: the proof leads straight to the app where nothing is left to ask', async () => {
      await app.visit(authorize(client, callback.url, { prompt: 'login', scope: 'openid' }));
      await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
      await page.getByRole('button', { name: 'Confirm and continue' }).click();
      await expect(page.getByRole('heading', { name: 'Back at the app' })).toBeVisible();
    });
    await app.visit(authorize(client, callback.url, { prompt: 'login' }));
    await page.getByRole('button', { name: 'Cancel' }).click();
    await expect(page.getByRole('heading', { name: 'Back at the app' })).toBeVisible();
    expect(callback.queries.at(-1)!.get('error')).toBe('access_denied');
    await callback.stop();
  });

  test('s26: “Not you?” signs out and comes back to the request as somebody else', async ({ app, page }) => {
    const callback = await Callback.start();
    const client = await register(app, { redirect_uris: [callback.url] });
    await app.enter();
    await app.visit(authorize(client, callback.url, { state: 'a&b c' }));
    await expect(page.getByText('Signed in as owner@acme.test')).toBeVisible();
    await app.submit('Not you?');
    await expect(app.heading).toHaveText('Sign in to Keystead');
    await page.getByLabel('Email').fill(OWNER.email);
    await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
    await app.submit('Sign in');
    await expect(app.heading).toHaveText('Allow Ledger Sync to act for you in Acme?');
    await page.getByRole('button', { name: 'Allow access' }).click();
    await expect(page.getByRole('heading', { name: 'Back at the app' })).toBeVisible();
    expect(callback.queries.at(-1)!.get('state')).toBe('a&b c');
    await callback.stop();
  });
});

test('s54: no other site shows the page of consent inside its own', async ({ app, page }) => {
  const callback = await Callback.start();
  const client = await register(app, { redirect_uris: [callback.url] });
  await app.enter();
  const answer = await page.request.get(app.server.url + authorize(client, callback.url));
  expect(answer.headers()['content-security-policy']).toContain("frame-ancestors 'none'");
  expect(answer.headers()['cross-origin-opener-policy']).toBe('unsafe-none');
  await callback.stop();
});
