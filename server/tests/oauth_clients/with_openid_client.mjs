// openid-client, as strict as it can be set: discovery, a public app's code with PKCE, state, nonce and max_age, ID tokens
// verified through the key set, refresh tokens that are good once, and the ends of both.
import assert from 'node:assert/strict';
import { exportJWK, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import { given, leave, visit } from './person.mjs';

const { issuer, public: app, confidential, machine } = given;
// Requests without a secret are few a second: it waits as it is told.
async function patient(url, options) {
  const response = await fetch(url, options);
  if (response.status !== 429) return response;
  await new Promise((done) => setTimeout(done, 1000 * response.headers.get('retry-after')));
  return patient(url, options);
}
const strict = { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] };
const plain = { ...strict, [client.customFetch]: patient };

async function signIn(config, redirect_uri, scope, more = {}) {
  const pkceCodeVerifier = client.randomPKCECodeVerifier();
  const code_challenge = await client.calculatePKCECodeChallenge(pkceCodeVerifier);
  const [expectedState, expectedNonce] = [client.randomState(), client.randomNonce()];
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri, scope, code_challenge, code_challenge_method: 'S256', state: expectedState, nonce: expectedNonce, max_age: '600', ...more,
  });
  const answer = await visit(url.href, more.says);
  return client.authorizationCodeGrant(config, answer, { pkceCodeVerifier, expectedState, expectedNonce, maxAge: 600, idTokenExpected: true });
}

const works = async (config, token) =>
  (await client.fetchProtectedResource(config, token, new URL(`${issuer}/v2/auth/test`), 'GET')).status;
const refused = (promise, error) => assert.rejects(promise, (e) => (assert.equal(e.error, error, e.message), true));

// --- an app in a browser or on a device -----------------------------------------------------------------------------
const config = await client.discovery(new URL(issuer), app.client_id, undefined, client.None(), plain);
assert.equal(config.serverMetadata().issuer, issuer);
assert(config.serverMetadata().supportsPKCE());
const oauth = await client.discovery(new URL(issuer), app.client_id, undefined, client.None(), { ...plain, algorithm: 'oauth2' });
assert.equal(oauth.serverMetadata().token_endpoint, config.serverMetadata().token_endpoint);

// Whatever port the app listens at on its device.
const scope = 'openid email profile users:read offline_access';
const tokens = await signIn(config, app.redirect_uri.replace('/cb', ':7777/cb'), scope);
const claims = tokens.claims();
assert.equal(claims.sub, given.user_id);
assert.equal(typeof claims.auth_time, 'number');
assert.deepEqual(new Set(tokens.scope.split(' ')), new Set(scope.split(' ')));
const me = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
assert.equal(me.email, given.email);
assert.equal(me.preferred_username, given.email);
assert.equal(await works(config, tokens.access_token), 200);

const second = await client.refreshTokenGrant(config, tokens.refresh_token);
assert.notEqual(second.refresh_token, tokens.refresh_token);
assert.equal(second.claims().sub, given.user_id);
// An answer that got lost on its way is given again; once its token was used, the one before it is somebody else's.
const lost = await client.refreshTokenGrant(config, tokens.refresh_token);
assert.equal(lost.refresh_token, second.refresh_token);
const third = await client.refreshTokenGrant(config, second.refresh_token);
assert.equal(await works(config, third.access_token), 200);
await refused(client.refreshTokenGrant(config, tokens.refresh_token), 'invalid_grant');
await refused(client.refreshTokenGrant(config, third.refresh_token), 'invalid_grant');
await assert.rejects(works(config, third.access_token), client.WWWAuthenticateChallengeError);
await assert.rejects(client.fetchUserInfo(config, third.access_token, claims.sub), client.WWWAuthenticateChallengeError);

// Each time anew: a loopback address could be any program's.
const again = await signIn(config, app.redirect_uri, 'openid offline_access');
await client.tokenRevocation(config, again.refresh_token);
await refused(client.refreshTokenGrant(config, again.refresh_token), 'invalid_grant');
await refused(signIn(config, app.redirect_uri, 'openid', { says: 'deny' }), 'access_denied');
await refused(signIn(config, app.redirect_uri, 'openid', { prompt: 'none' }), 'consent_required');
await refused(signIn(config, app.redirect_uri, 'openid users:delete'), 'invalid_scope');
await refused(signIn(config, app.redirect_uri, 'openid', { code_challenge: '', code_challenge_method: '' }), 'invalid_request');
// One that does not wait is told so in the words of OAuth, too.
const hasty = await client.discovery(new URL(issuer), app.client_id, undefined, client.None(), strict);
const many = await Promise.allSettled(Array.from({ length: 8 }, () => client.refreshTokenGrant(hasty, 'ksr_nobody')));
assert.deepEqual(new Set(many.map(({ reason: e }) => `${e.status} ${e.error}`)), new Set(['400 invalid_grant', '429 temporarily_unavailable']));

// --- an app on a server ---------------------------------------------------------------------------------------------
for (const method of [client.ClientSecretBasic, client.ClientSecretPost]) {
  const config = await client.discovery(new URL(issuer), confidential.client_id, undefined, method(confidential.client_secret), plain);
  const tokens = await signIn(config, confidential.redirect_uri, 'openid users:read');
  assert.equal((await client.tokenIntrospection(config, tokens.access_token)).sub, given.user_id);
  // It keeps one refresh token, bound to its secret.
  const next = await client.refreshTokenGrant(config, tokens.refresh_token);
  assert.equal(next.refresh_token, tokens.refresh_token);
  await client.tokenRevocation(config, next.access_token, { token_type_hint: 'access_token' });
  assert.equal((await client.tokenIntrospection(config, next.access_token)).active, false);
  await assert.rejects(works(config, next.access_token), client.WWWAuthenticateChallengeError);
  assert.equal(await works(config, tokens.access_token), 200);
}

// --- a service for itself -------------------------------------------------------------------------------------------
const alone = await client.discovery(new URL(issuer), machine.client_id, machine.client_secret, undefined, plain);
const own = await client.clientCredentialsGrant(alone, { scope: 'users:read', resource: 'https://api.ledger.test/v1' });
assert.equal(own.scope, 'users:read');
const told = await client.tokenIntrospection(alone, own.access_token);
assert.deepEqual([told.active, told.aud, told.client_id], [true, 'https://api.ledger.test/v1', machine.client_id]);
await refused(client.clientCredentialsGrant(alone, { scope: 'openid' }), 'invalid_scope');
await refused(client.clientCredentialsGrant(alone, { scope: 'users:read', resource: 'not a uri' }), 'invalid_target');
const wrong = await client.discovery(new URL(issuer), machine.client_id, 'kss_wrong', undefined, plain);
await assert.rejects(client.clientCredentialsGrant(wrong), client.WWWAuthenticateChallengeError);

// --- one that keeps no secret, but a key ----------------------------------------------------------------------------
for (const alg of ['ES256', 'RS256', 'PS256']) {
  const { publicKey, privateKey } = await generateKeyPair(alg);
  const jwks = { keys: [{ ...(await exportJWK(publicKey)), alg, use: 'sig' }] };
  const body = { name: `Ledger, ${alg}`, kind: 'machine', scopes: ['users:read'], token_endpoint_auth_method: 'private_key_jwt', jwks };
  const headers = { 'content-type': 'application/json', 'x-api-key': given.api_key };
  const made = await (await fetch(`${issuer}/v1/oauth/applications`, { method: 'POST', headers, body: JSON.stringify(body) })).json();
  const config = await client.discovery(new URL(issuer), made.client_id, undefined, client.PrivateKeyJwt(privateKey), plain);
  const own = await client.clientCredentialsGrant(config, { scope: 'users:read' });
  assert.equal((await client.tokenIntrospection(config, own.access_token)).sub, made.client_id);
  await client.tokenRevocation(config, own.access_token);
  await assert.rejects(works(config, own.access_token), client.WWWAuthenticateChallengeError);
}
leave();
