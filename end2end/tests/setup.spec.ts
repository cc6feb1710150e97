import { both, expect, OWNER, test } from '../fixtures';

test.use({ begin: 'empty' });

both(() => {
  test('the printed link makes the first tenant, keeps what was typed when the password is weak, and works once', async ({ app, page, server, another }) => {
    const link = server.setupLink.replace(server.url, '');
    await app.visit(link);
    await expect(app.heading).toHaveText('Set up Keystead');

    const weak = 'acme acme';
    await page.getByLabel('Team or company').fill('Acme & Sons');
    await page.getByLabel('Your email').fill(OWNER.email);
    await page.getByLabel('Password', { exact: true }).fill(weak);
    app.watch.expectStatus(422);
    await app.submit('Set up Keystead');

    const password = page.getByLabel('Password', { exact: true });
    await expect(password).toHaveAttribute('aria-invalid', 'true');
    await expect(password).toHaveAccessibleDescription(/At least 15 characters; these are 9/);
    await expect(password).toBeFocused();
    await expect(password).toHaveValue('');
    await expect(page.getByLabel('Team or company')).toHaveValue('Acme & Sons');
    await expect(page.getByLabel('Your email')).toHaveValue(OWNER.email);
    expect(await page.content(), 'a password is never sent back').not.toContain(weak);

    await password.fill(OWNER.password);
    await app.submit('Set up Keystead');
    await expect(page).toHaveURL('/keys');
    await expect(app.heading).toHaveText('API keys');
    await expect(page.getByRole('complementary', { name: 'Sidebar' })).toContainText('Acme & Sons');
    await expect(page.getByRole('complementary', { name: 'Sidebar' })).toContainText(OWNER.email);

    const late = await another();
    await late.visit(link);
    await expect(late.heading).toHaveText('Keystead is set up already');
    await expect(late.page.getByLabel('Password', { exact: true })).toHaveCount(0);
    await expect(late.page.getByRole('link', { name: 'Sign in' })).toHaveAttribute('href', '/login');
    await late.page.goto('/keys');
    await expect(late.page, 'nobody was signed in').toHaveURL(/\/login\?next=/);
  });
});
