import { both, expect, OWNER, test, type App } from '../fixtures';

const PASSWORD = 'seven purple boats at dawn';

/** Asks somebody to join; the link, as the page shows it once. */
async function invite(app: App, email: string, role: string): Promise<string> {
  await app.visit('/members');
  await app.page.getByLabel('Email').fill(email);
  await app.page.getByRole('radio', { name: new RegExp(`^${role}`, 'i') }).check();
  await app.submit('Invite');
  return (await app.page.locator('#invitation-link').innerText()).trim();
}

both(() => {
  test('somebody is invited, joins, and gets another role', async ({ app, page, another }) => {
    await app.signIn();
    const link = await invite(app, 'dev@acme.test', 'developer');
    await app.visit('/members');
    await expect(page.getByText('dev@acme.test'), 'it waits').toBeVisible();
    expect(await page.content(), 'the link was shown once').not.toContain(link.split('token=')[1]);

    const other = await another();
    await other.page.goto(link);
    await other.ready();
    await expect(other.heading).toHaveText('You are invited');
    other.watch.expectStatus(422);
    await other.page.getByLabel('Choose a password').fill('password1234567');
    await other.submit('Join');
    await expect(other.page.locator('#password-error')).toBeVisible();
    await other.page.getByLabel('Choose a password').fill(PASSWORD);
    await other.submit('Join');
    await expect(other.page).toHaveURL('/keys');
    other.watch.expectStatus(403);
    await other.visit('/members');
    await expect(other.heading, 'developers do not see members').not.toHaveText('Members');

    await app.visit('/members');
    await app.through(() => page.getByRole('link', { name: 'dev@acme.test' }).click());
    await page.getByRole('radio', { name: /^Admin/ }).check();
    await app.submit('Change role');
    await expect(page.getByText('The role has changed.')).toBeVisible();
    await other.visit('/members');
    await expect(other.heading, 'it holds from the next request on').toHaveText('Members');

    await page.goto(link);
    await app.ready();
    await expect(app.heading, 'the link works once').toHaveText('This invitation does not work');
  });

  test('who is removed is out at once, and only after their address was typed', async ({ app, page, another }) => {
    await app.signIn();
    const link = await invite(app, 'gone@acme.test', 'security');
    const other = await another();
    await other.page.goto(link);
    await other.ready();
    await other.page.getByLabel('Choose a password').fill(PASSWORD);
    await other.submit('Join');
    await app.visit('/members');
    await app.through(() => page.getByRole('link', { name: 'gone@acme.test' }).click());
    const typed = page.getByLabel(/^Type gone@acme.test/).last();
    app.watch.expectStatus(422);
    await typed.fill('somebody');
    await app.submit('Remove member');
    await expect(page.locator('#confirm-error')).toContainText('Type the address of the member');
    await typed.fill('gone@acme.test');
    await app.submit('Remove member');
    await expect(page.getByRole('link', { name: 'gone@acme.test' })).toHaveCount(0);
    await other.visit('/usage');
    await expect(other.heading).toHaveText('Sign in to Keystead');
  });

  test('the last owner stays', async ({ app, page }) => {
    await app.signIn();
    await app.visit('/tenants');
    app.watch.expectStatus(409);
    await page.getByLabel(/^Type/).fill(OWNER.tenant);
    await app.submit('Leave tenant');
    await expect(page.getByText(/is the last owner/).first()).toBeVisible();
  });

  test('policies say what they would break before they are saved', async ({ app, page }) => {
    await app.signIn();
    await app.createKey({ name: 'for-ever', expires: 'never' });
    await app.visit('/settings/policies');
    await page.getByLabel(/^Keys expire within/).fill('90');
    await app.submit('Review change');
    await expect(page.getByRole('main').getByRole('listitem').filter({ hasText: 'for-ever' })).toContainText('works for too long');
    await app.submit('Save policies');
    await expect(page.getByText(/^Saved\./)).toBeVisible();
    app.watch.expectStatus(422);
    await app.visit('/keys/new');
    await page.getByLabel('Name', { exact: true }).fill('another');
    await page.getByLabel(/^Other permissions/).fill('read');
    await page.locator('#expires').getByText('Never', { exact: true }).click();
    await app.submit('Create key');
    await expect(page.getByRole('alert')).toContainText('90 days');
  });

  test('a new tenant is joined by its owner, switched from, suspended and resumed', async ({ app, page }) => {
    await app.signIn();
    await app.visit('/platform/tenants');
    await page.getByLabel('Team or company').fill('Second');
    await page.getByLabel(/owner's email/).fill(OWNER.email);
    await app.submit('Create tenant');
    const link = (await page.locator('#invitation-link').innerText()).trim();
    await page.goto(link);
    await app.ready();
    await app.submit('Join');
    await app.visit('/tenants');
    await expect(page.getByRole('main').getByRole('listitem').filter({ hasText: 'Second' })).toContainText('You are here');
    await app.through(() => page.getByRole('button', { name: `Go to ${OWNER.tenant}` }).click());
    await app.visit('/platform/tenants');
    await app.through(() => page.getByRole('link', { name: 'Second', exact: true }).click());
    await page.getByRole('textbox', { name: /^Reason/ }).fill('unpaid');
    await app.submit('Suspend tenant');
    await app.visit('/tenants');
    await expect(page.getByRole('button', { name: 'Go to Second' })).toHaveCount(0);
    await app.visit('/platform/tenants');
    await app.through(() => page.getByRole('link', { name: 'Second', exact: true }).click());
    await expect(page.getByText('Suspended').first()).toBeVisible();
    await app.submit('Resume tenant');
    await app.visit('/tenants');
    await expect(page.getByRole('button', { name: 'Go to Second' })).toBeVisible();
  });
});
