import { both, expect, OWNER, test } from '../fixtures';
import { code } from '../support/totp';

both(() => {
  test('a second factor is set up, asked for, and turned off', async ({ app, page }) => {
    await app.signIn();
    await app.visit('/account/two-factor');
    await app.submit('Set up an authenticator app');
    await expect(page.getByRole('img', { name: /QR code/ })).toBeVisible();
    const secret = (await page.locator('#totp-secret').innerText()).replaceAll(' ', '');
    app.watch.expectStatus(422);
    await page.getByRole('textbox', { name: 'Code' }).fill('000000');
    await app.submit('Turn on');
    await expect(page.getByText('This code does not fit the secret')).toBeVisible();
    await page.getByRole('textbox', { name: 'Code' }).fill(code(secret));
    await app.submit('Turn on');
    const codes = (await page.getByRole('region', { name: 'Recovery codes' }).innerText()).trim().split(/\s+/);
    expect(codes).toHaveLength(10);
    await page.getByLabel(/I have stored them/).check();
    await app.submit('Done');
    await expect(page.getByText('10 recovery codes are left.')).toBeVisible();

    await app.submit('Sign out', page.getByRole('complementary', { name: 'Sidebar' }));
    await page.getByLabel('Email').fill(OWNER.email);
    await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
    await app.submit('Sign in');
    await expect(app.heading).toHaveText('Enter your code');
    await expect(page.getByRole('textbox', { name: 'Code' })).toBeFocused();
    // The next one: the one of this step was accepted already.
    await page.getByRole('textbox', { name: 'Code' }).fill(code(secret, 1));
    await app.submit('Sign in');
    await expect(page).toHaveURL('/keys');

    await app.visit('/account/two-factor');
    await page.getByLabel('Password', { exact: true }).fill(OWNER.password);
    await app.submit('Turn off two-factor sign-in');
    await expect(page.getByRole('button', { name: 'Set up an authenticator app' })).toBeVisible();
  });

  test('a changed password ends the other sessions', async ({ app, page, another }) => {
    const other = await another();
    await other.signIn();
    await app.signIn();
    await app.visit('/account/sessions');
    await expect(page.getByText('This one')).toBeVisible();
    await app.visit('/account');
    await page.getByLabel('Current password', { exact: true }).fill(OWNER.password);
    await page.getByLabel('New password', { exact: true }).fill('another gravel orbit lantern');
    await app.submit('Change password');
    await expect(page.getByText('Your password is changed.')).toBeVisible();
    await other.visit('/keys');
    await expect(other.heading).toHaveText('Sign in to Keystead');
  });
});
