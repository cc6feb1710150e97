"""requests-oauthlib: a code with PKCE, and a session that refreshes its token by itself."""
import os
import time

os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"

import requests
from oauthlib.oauth2 import BackendApplicationClient, WebApplicationClient
from person import given, refused, visit
from requests_oauthlib import OAuth2Session

issuer, app, machine = given["issuer"], given["confidential"], given["machine"]
meta = requests.get(issuer + "/.well-known/oauth-authorization-server").json()
kept = []

session = OAuth2Session(
    app["client_id"], redirect_uri=app["redirect_uri"], scope=["openid", "users:read", "offline_access"], pkce="S256",
    auto_refresh_url=meta["token_endpoint"], token_updater=kept.append,
    auto_refresh_kwargs={"client_id": app["client_id"], "client_secret": app["client_secret"]},
)
url, state = session.authorization_url(meta["authorization_endpoint"])
answer = visit(url)
# It compares the state, and the scopes that it got with those that it asked for.
token = session.fetch_token(meta["token_endpoint"], authorization_response=answer, client_secret=app["client_secret"])
assert session.get(meta["userinfo_endpoint"]).json()["sub"] == given["user_id"]
assert session.get(issuer + "/v2/auth/test").status_code == 200 and not kept

first = token["access_token"]
for _ in range(2):
    session.token = {**session.token, "expires_at": time.time() - 1, "expires_in": -1}
    assert session.get(issuer + "/v2/auth/test").status_code == 200
assert len(kept) == 2 and len({first, *(t["access_token"] for t in kept)}) == 3, kept
assert all(t["refresh_token"] for t in kept)

revoke, headers, body = WebApplicationClient(app["client_id"]).prepare_token_revocation_request(
    meta["revocation_endpoint"], kept[-1]["refresh_token"], "refresh_token")
assert requests.post(revoke, data=body, headers=headers, auth=(app["client_id"], app["client_secret"])).status_code == 200
session.token = {**session.token, "expires_at": time.time() - 1, "expires_in": -1}
refused("invalid_grant", session.get, issuer + "/v2/auth/test")

# The secret in the body, and none of it in the header.
body = OAuth2Session(app["client_id"], redirect_uri=app["redirect_uri"], scope=["users:read"])
url, _ = body.authorization_url(meta["authorization_endpoint"])
body.fetch_token(
    meta["token_endpoint"], authorization_response=visit(url), include_client_id=True, client_secret=app["client_secret"])
assert body.get(issuer + "/v2/auth/test").status_code == 200

alone = OAuth2Session(client=BackendApplicationClient(machine["client_id"], scope=["users:read"]))
alone.fetch_token(meta["token_endpoint"], client_id=machine["client_id"], client_secret=machine["client_secret"])
assert alone.get(issuer + "/v2/auth/test").status_code == 200
refused("invalid_client", alone.fetch_token, meta["token_endpoint"], client_id=machine["client_id"], client_secret="kss_wrong")
