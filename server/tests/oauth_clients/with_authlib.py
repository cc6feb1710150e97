"""authlib: every grant, with PKCE, state and nonce; ID and access tokens read through the key set; what ends a token."""
import os
import urllib.parse

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata
from authlib.oauth2.rfc9068.claims import JWTAccessTokenClaims
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey
from person import given, refused, visit

issuer, app, machine = given["issuer"], given["confidential"], given["machine"]

meta = requests.get(issuer + "/.well-known/openid-configuration").json()
OpenIDProviderMetadata(meta).validate()
AuthorizationServerMetadata(requests.get(issuer + "/.well-known/oauth-authorization-server").json()).validate()
assert meta["issuer"] == issuer


def session(method, scope):
    return OAuth2Session(
        app["client_id"], app["client_secret"], token_endpoint_auth_method=method, revocation_endpoint_auth_method=method,
        redirect_uri=app["redirect_uri"], scope=scope, code_challenge_method="S256", token_endpoint=meta["token_endpoint"],
    )


def signed_in(client, **extra):
    """The whole way of a code; the token, and what could be used again."""
    verifier, nonce = generate_token(48), generate_token(24)
    # Each character that one decoding too many, or too few, would change.
    state = generate_token(8) + "+/=&%20% é"
    url, _ = client.create_authorization_url(meta["authorization_endpoint"], state=state, code_verifier=verifier, nonce=nonce, **extra)
    answer = visit(url)
    said = urllib.parse.parse_qs(urllib.parse.urlsplit(answer).query)
    assert said["iss"] == [issuer], answer
    token = client.fetch_token(authorization_response=answer, state=state, code_verifier=verifier)
    return token, nonce, {"code": said["code"][0], "code_verifier": verifier}


def reads(token, nonce):
    """Both tokens, as whoever gets them reads them."""
    keys = KeySet.import_key_set(requests.get(meta["jwks_uri"]).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=["RS256"])
    options = {"iss": {"essential": True, "values": [issuer]}, "aud": {"essential": True, "values": [app["client_id"]]}}
    params = {"nonce": nonce, "client_id": app["client_id"], "access_token": token["access_token"], "max_age": 60}
    claims = CodeIDToken(decoded.claims, decoded.header, options, params)
    claims.validate()
    assert claims["sub"] == given["user_id"] and claims["at_hash"], claims
    decoded = jwt.decode(token["access_token"], keys, algorithms=["EdDSA"])
    options = {"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": issuer}}
    options |= {name: {"essential": True} for name in ["exp", "iat", "sub", "jti", "client_id"]}
    claims = JWTAccessTokenClaims(decoded.claims, decoded.header, options)
    claims.validate()
    assert decoded.header["typ"] == "at+jwt"
    assert claims["client_id"] == app["client_id"] and claims["scope"] == token["scope"], claims


def works(client):
    return client.get(issuer + "/v2/auth/test").status_code


scope = "openid email users:read offline_access"
for method in ["client_secret_basic", "client_secret_post"]:
    client = session(method, scope)
    token, nonce, _ = signed_in(client)
    assert token["token_type"] == "Bearer" and 0 < token["expires_in"] <= 3600, token
    assert set(token["scope"].split()) == set(scope.split()), token
    reads(token, nonce)
    # Both ways must be there (OpenID Connect Core, section 5.3).
    for me in [client.get(meta["userinfo_endpoint"]).json(), client.post(meta["userinfo_endpoint"]).json()]:
        assert (me["sub"], me["email"]) == (given["user_id"], given["email"]), me
    assert works(client) == 200

    first = token["access_token"]
    token = client.refresh_token()
    assert token["access_token"] != first and token["refresh_token"], token
    assert works(client) == 200
    narrow = session(method, "users:read").refresh_token(meta["token_endpoint"], refresh_token=token["refresh_token"])
    assert narrow["scope"] == "users:read", narrow
    refused("invalid_scope", session(method, "users:read users:write").refresh_token, refresh_token=token["refresh_token"])

    told = client.introspect_token(meta["introspection_endpoint"], token=token["access_token"], token_type_hint="access_token").json()
    assert told["active"] is True and told["client_id"] == app["client_id"] and told["sub"] == given["user_id"], told
    assert told["token_type"] == "Bearer" and set(told["scope"].split()) == set(scope.split()), told
    for hint in ["refresh_token", "access_token", "something_else"]:
        told = client.introspect_token(meta["introspection_endpoint"], token=token["refresh_token"], token_type_hint=hint).json()
        assert told["active"] is True, (hint, told)

    ended = client.revoke_token(meta["revocation_endpoint"], token=token["refresh_token"], token_type_hint="refresh_token")
    assert ended.status_code == 200, ended.text
    assert works(client) == 401
    for gone in [token["refresh_token"], token["access_token"], "a-token-of-nobody"]:
        told = client.introspect_token(meta["introspection_endpoint"], token=gone)
        assert (told.status_code, told.json()) == (200, {"active": False}), told.text
    refused("invalid_grant", client.refresh_token)

# An access token alone ends alone.
client = session("client_secret_basic", scope)
token, *_ = signed_in(client)
assert client.revoke_token(meta["revocation_endpoint"], token=token["access_token"], token_type_hint="access_token").status_code == 200
assert works(client) == 401
client.refresh_token()
assert works(client) == 200

# A code is good once, for its own verifier, at its own address; the second use ends what the first one made.
token, _, code = signed_in(client)
assert works(client) == 200
again = session("client_secret_basic", scope)
refused("invalid_grant", again.fetch_token, grant_type="authorization_code", **code)
assert works(client) == 401
for wrong in [{"code_verifier": generate_token(48)}, {"redirect_uri": "https://elsewhere.test/cb"}]:
    verifier = generate_token(48)
    url, state = again.create_authorization_url(meta["authorization_endpoint"], code_verifier=verifier)
    answer = visit(url)
    refused("invalid_grant", again.fetch_token, authorization_response=answer, state=state, **({"code_verifier": verifier} | wrong))

# Who says no is believed, and so is who may not be asked.
for says, extra, error in [("deny", {"prompt": "consent"}, "access_denied"), ("allow", {"scope": "users:delete"}, "invalid_scope")]:
    url, state = client.create_authorization_url(meta["authorization_endpoint"], code_verifier=generate_token(48), **extra)
    said = urllib.parse.parse_qs(urllib.parse.urlsplit(visit(url, says)).query)
    assert (said["error"], said["state"], said["iss"]) == ([error], [state], [issuer]), said
# What was allowed once is answered without a question.
signed_in(client, prompt="none")

# For itself.
for method in ["client_secret_basic", "client_secret_post"]:
    alone = OAuth2Session(machine["client_id"], machine["client_secret"], token_endpoint_auth_method=method, scope="users:read")
    token = alone.fetch_token(meta["token_endpoint"], grant_type="client_credentials")
    assert token["scope"] == "users:read" and "refresh_token" not in token and "id_token" not in token, token
    assert works(alone) == 200
wrong = OAuth2Session(machine["client_id"], "kss_wrong", scope="users:read")
refused("invalid_client", wrong.fetch_token, meta["token_endpoint"], grant_type="client_credentials")
refused("unauthorized_client", alone.fetch_token, meta["token_endpoint"], grant_type="authorization_code", code="x")
refused("unsupported_grant_type", alone.fetch_token, meta["token_endpoint"], grant_type="password", username="a", password="b")

# With a key instead of a secret: assertions that are good once (RFC 7523).
for alg, key in [("EdDSA", OKPKey.generate_key("Ed25519")), ("ES256", ECKey.generate_key("P-256")), ("RS256", RSAKey.generate_key(2048))]:
    body = {"name": f"Ledger, {alg}", "kind": "machine", "scopes": ["users:read"], "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [key.as_dict(private=False)]}}
    made = requests.post(issuer + "/v1/oauth/applications", json=body, headers={"X-API-Key": given["api_key"]}).json()
    signed = PrivateKeyJWT(meta["token_endpoint"], alg=alg)
    signing = OAuth2Session(
        made["client_id"], key, scope="users:read", token_endpoint_auth_method=signed, revocation_endpoint_auth_method=signed)
    token = signing.fetch_token(meta["token_endpoint"], grant_type="client_credentials")
    assert works(signing) == 200
    told = signing.introspect_token(meta["introspection_endpoint"], token=token["access_token"]).json()
    assert told["active"] is True and told["sub"] == made["client_id"], told
    assert signing.revoke_token(meta["revocation_endpoint"], token=token["access_token"]).status_code == 200
    assert works(signing) == 401
    other = OAuth2Session(made["client_id"], type(key).generate_key(), scope="users:read", token_endpoint_auth_method=signed)
    refused("invalid_client", other.fetch_token, meta["token_endpoint"], grant_type="client_credentials")
