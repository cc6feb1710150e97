// oauth4webapi: each answer read by the letter of its RFC, ID tokens of both algorithms, and an API that reads access
// tokens by RFC 9068.
import assert from 'node:assert/strict';
import * as oauth from 'oauth4webapi';
import { given, leave, visit } from './person.mjs';

const { issuer, confidential, modern, machine } = given;
const plain = { [oauth.allowInsecureRequests]: true };
const url = new URL(issuer);

const as = await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, plain));
await oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { ...plain, algorithm: 'oauth2' }));
assert.equal(as.authorization_response_iss_parameter_supported, true);

for (const [app, alg] of [[confidential, 'RS256'], [modern, 'EdDSA']]) {
  const client = { client_id: app.client_id, id_token_signed_response_alg: alg, require_auth_time: true };
  const secret = oauth.ClientSecretBasic(app.client_secret);
  const verifier = oauth.generateRandomCodeVerifier();
  const [state, nonce] = [oauth.generateRandomState(), oauth.generateRandomNonce()];
  const to = new URL(as.authorization_endpoint);
  to.search = new URLSearchParams({
    client_id: app.client_id, redirect_uri: app.redirect_uri, response_type: 'code', scope: 'openid users:read', state, nonce,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier), code_challenge_method: 'S256',
  });
  const params = oauth.validateAuthResponse(as, client, await visit(to.href), state);
  const exchange = () => oauth.authorizationCodeGrantRequest(as, client, secret, params, app.redirect_uri, verifier, plain);
  const response = await exchange();
  assert.match(response.headers.get('cache-control'), /no-store/);
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, { expectedNonce: nonce, requireIdToken: true });
  await oauth.validateApplicationLevelSignature(as, response, plain);
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  assert.deepEqual([claims.sub, claims.aud, claims.azp], [given.user_id, app.client_id, app.client_id]);

  const userinfo = await oauth.userInfoRequest(as, client, tokens.access_token, plain);
  assert.equal((await oauth.processUserInfoResponse(as, client, claims.sub, userinfo)).tenant_id, given.tenant_id);

  // As an API reads it (RFC 9068).
  const request = (token) => new Request('https://api.ledger.test/', { headers: { authorization: `Bearer ${token}` } });
  const read = await oauth.validateJwtAccessToken(as, request(tokens.access_token), issuer, plain);
  assert.deepEqual([read.sub, read.client_id, read.scope], [given.user_id, app.client_id, tokens.scope]);
  await assert.rejects(oauth.validateJwtAccessToken(as, request(tokens.access_token), 'https://elsewhere.test', plain));
  await assert.rejects(oauth.validateJwtAccessToken(as, request(tokens.id_token), app.client_id, plain), 'an ID token is no access token');

  const introspect = async (token) =>
    oauth.processIntrospectionResponse(as, client, await oauth.introspectionRequest(as, client, secret, token, plain));
  assert.deepEqual((({ active, iss, sub, scope }) => [active, iss, sub, scope])(await introspect(tokens.access_token)),
    [true, issuer, given.user_id, tokens.scope]);

  const fresh = await oauth.refreshTokenGrantRequest(as, client, secret, tokens.refresh_token, plain);
  const next = await oauth.processRefreshTokenResponse(as, client, fresh);
  await oauth.validateApplicationLevelSignature(as, fresh, plain);
  assert.equal(oauth.getValidatedIdTokenClaims(next).sub, claims.sub);

  const ended = await oauth.revocationRequest(as, client, secret, next.refresh_token, plain);
  assert.equal(await oauth.processRevocationResponse(ended), undefined);
  for (const token of [tokens.access_token, next.access_token, next.refresh_token, 'nobody']) {
    assert.deepEqual(await introspect(token), { active: false });
  }
  const refused = (error, status) => (e) => (assert.deepEqual([e.error, e.status], [error, status]), true);
  await assert.rejects(oauth.processAuthorizationCodeResponse(as, client, await exchange()), refused('invalid_grant', 400));
  const unknown = oauth.ClientSecretBasic('kss_wrong');
  const introspection = await oauth.introspectionRequest(as, client, unknown, tokens.access_token, plain);
  await assert.rejects(oauth.processIntrospectionResponse(as, client, introspection), (e) => {
    assert.equal(e.code, oauth.WWW_AUTHENTICATE_CHALLENGE);
    assert.deepEqual([e.status, e.cause[0].scheme], [401, 'basic']);
    return true;
  });
  await assert.rejects(oauth.processUserInfoResponse(as, client, claims.sub,
    await oauth.userInfoRequest(as, client, tokens.access_token, plain)), (e) => {
    assert.deepEqual([e.status, e.cause[0].scheme, e.cause[0].parameters.error], [401, 'bearer', 'invalid_token']);
    return true;
  });
}

const client = { client_id: machine.client_id };
const secret = oauth.ClientSecretPost(machine.client_secret);
const own = await oauth.processClientCredentialsResponse(as, client,
  await oauth.clientCredentialsGrantRequest(as, client, secret, { scope: 'users:read' }, plain));
const request = new Request('https://api.ledger.test/', { headers: { authorization: `Bearer ${own.access_token}` } });
const read = await oauth.validateJwtAccessToken(as, request, issuer, plain);
// Nobody is there but the service: it is its own subject (RFC 9068, section 2.2).
assert.deepEqual([read.sub, read.client_id], [machine.client_id, machine.client_id]);
leave();
