import { both, expect, OWNER, test } from '../fixtures';
import { Session } from '../support/client';

both((js) => {
  test('a wrong password and an unknown address get the same answer, and the address stays', async ({ app, page }) => {
    app.watch.expectStatus(401);
    await app.visit('/login');
    for (const email of [OWNER.email, 'nobody@acme.test']) {
      await page.getByLabel('Email').fill(email);
      await page.getByLabel('Password', { exact: true }).fill('not the password at all');
      await app.submit('Sign in');
      await expect(page.getByRole('alert')).toHaveText('Email or password is wrong.');
      await expect(page.getByLabel('Email')).toHaveValue(email);
      await expect(page.getByLabel('Password', { exact: true })).toHaveValue('');
      await expect(page.getByLabel('Password', { exact: true })).toBeFocused();
    }
  });

  test('signing out ends the session on the server, and Back shows nothing of it', async ({ app, page, server }) => {
    await app.signIn();
    const cookies = await page.context().cookies();
    const { value, httpOnly, sameSite } = cookies.find((c) => c.name === 'keystead')!;
    expect({ httpOnly, sameSite }).toEqual({ httpOnly: true, sameSite: 'Lax' });
    const kept = Session.of(server, value);
    expect((await kept.get('/keys')).status).toBe(200);

    await app.submit('Sign out', page.getByRole('complementary', { name: 'Sidebar' }));
    await expect(page).toHaveURL('/login');
    const refused = await kept.get('/keys');
    expect([refused.status, refused.headers.get('location')]).toEqual([303, '/login?next=/keys']);

    await page.goBack();
    await app.ready();
    await expect(app.heading).toHaveText('Sign in to Keystead');
  });

  test('signing in leads to the page that was asked for', async ({ app, page }) => {
    await page.goto('/usage?outcome=denied&request_id=a%20b');
    await app.ready();
    await expect(app.heading).toHaveText('Sign in to Keystead');
    await page.getByLabel('Email').fill(OWNER.email);
    await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
    await app.submit('Sign in');
    await expect(page).toHaveURL('/usage?outcome=denied&request_id=a%20b');
    await expect(app.heading).toHaveText('Usage');
  });

  test('next is followed only to a path of this server', async ({ app, page, server }) => {
    for (const next of ['//evil.test/', 'https://evil.test/', '/\\evil.test', 'javascript:alert(1)']) {
      await page.context().clearCookies();
      await app.visit(`/login?next=${encodeURIComponent(next)}`);
      await page.getByLabel('Email').fill(OWNER.email);
      await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
      await app.submit('Sign in');
      expect(page.url(), next).toBe(`${server.url}/keys`);
    }
  });

  test('the sign-in form works with password managers and shows the password on request', async ({ app, page }) => {
    await app.visit('/login');
    await expect(page.getByLabel('Email')).toBeFocused();
    await expect(page.getByLabel('Email')).toHaveAttribute('autocomplete', 'username');
    const password = page.getByLabel('Password', { exact: true });
    await expect(password).toHaveAttribute('autocomplete', 'current-password');
    const show = page.getByRole('button', { name: 'Show password' });
    if (!js) return expect(show).toBeHidden();
    await password.fill('something');
    await show.click();
    await expect(password).toHaveAttribute('type', 'text');
    await expect(show).toHaveAttribute('aria-pressed', 'true');
    await show.click();
    await expect(password).toHaveAttribute('type', 'password');
  });
});

test('a session that ended elsewhere leads back to the sign-in, and then to where one was', async ({ app, page }) => {
  await app.signIn();
  const owner = await app.owner();
  const { value } = (await page.context().cookies()).find((c) => c.name === 'keystead')!;
  await Session.of(app.server, value).post('/logout', {});
  await page.getByRole('link', { name: 'Usage' }).click();
  await expect(app.heading).toHaveText('Sign in to Keystead');
  await expect(page).toHaveURL('/login?next=/usage');
  await page.getByLabel('Email').fill(OWNER.email);
  await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
  await app.submit('Sign in');
  await expect(page).toHaveURL('/usage');
  expect((await owner.get('/keys')).status, 'other sessions go on').toBe(200);
});
