#!/usr/bin/env bash
# Access tokens per second by client_credentials, next to oidc-provider (Node, certified) and to a bare axum hello, in one
# run: interleaved rounds, medians. Both servers sign EdDSA JWTs; each serves on one core, and is asked from the other.
#   scripts/bench-oauth.sh [rounds] [seconds] [profile: quick, release]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
rounds=${1:-15} seconds=${2:-2} profile=${3:-quick}
for tool in wrk jq; do command -v $tool >/dev/null || { [ "$(id -u)" = 0 ] && apt-get install -y -qq $tool >&2; }; done
# One after the other: what an example needs would be built into the server, too.
cargo build --quiet --locked --profile "$profile" -p keystead --example hello
cargo build --quiet --locked --profile "$profile" -p keystead --bin keystead
bin=target/$profile/keystead
peer_dir=$KEYSTEAD_TOOLS/oidc-provider
[ -e "$peer_dir/node_modules/oidc-provider" ] ||
  npm install --silent --no-save --prefix "$peer_dir" oidc-provider@9.13.3 jose@6.2.17 >&2
cat >"$peer_dir/peer.mjs" <<'JS'
import { Provider } from 'oidc-provider';
import * as jose from 'jose';
const key = async (alg, kid) => ({ ...(await jose.exportJWK((await jose.generateKeyPair(alg, { extractable: true })).privateKey)), alg, kid, use: 'sig' });
const client = { client_id: 'c1', client_secret: 's'.repeat(32), grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
const provider = new Provider('http://127.0.0.1:4103', {
  clients: [client],
  jwks: { keys: [await key('EdDSA', '1'), await key('RS256', '2')] },
  scopes: ['users:read'],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    resourceIndicators: {
      enabled: true, defaultResource: () => 'urn:api', useGrantedResource: () => true,
      getResourceServerInfo: () => ({ scope: 'users:read', accessTokenTTL: 3600, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'EdDSA' } } }),
    },
  },
});
provider.listen(4103, '127.0.0.1');
JS
dir=$(mktemp -d)
peer='' keystead='' hello=''
trap 'kill $peer $keystead $hello 2>/dev/null || true; rm -rf "$dir"' EXIT
export KEYSTEAD_DATA_DIR="$dir/data" RUST_LOG=warn
first=$(printf 'gravel orbit lantern seven' | "$bin" bootstrap --tenant Bench --email bench@bench.test --password-stdin --json)
taskset -c 0 "$bin" --bind 127.0.0.1:4102 serve >/dev/null & keystead=$!
NODE_ENV=production taskset -c 0 node "$peer_dir/peer.mjs" >/dev/null 2>&1 & peer=$!
taskset -c 0 "target/$profile/examples/hello" 127.0.0.1:4104 >/dev/null & hello=$!
until curl -sfo "$dir/ready" http://127.0.0.1:4104/ && curl -sfo "$dir/ready" http://127.0.0.1:4102/livez && curl -sfo "$dir/ready" http://127.0.0.1:4103/.well-known/openid-configuration; do sleep 0.2; done
app=$(curl -sSf -H "Authorization: Bearer $(jq -r .api_key <<<"$first")" -H 'Content-Type: application/json' \
  -d '{"name":"Bench","kind":"machine","scopes":["users:read"]}' http://127.0.0.1:4102/v1/oauth/applications)
asks() { # id secret: the request as wrk sends it
  cat <<LUA
wrk.method = "POST"
wrk.headers["Authorization"] = "Basic $(printf '%s' "$1:$2" | base64 -w0)"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.body = "grant_type=client_credentials&scope=users:read"
LUA
}
asks "$(jq -r .client_id <<<"$app")" "$(jq -r .client_secret <<<"$app")" >"$dir/keystead.lua"
asks c1 "$(printf 's%.0s' {1..32})" >"$dir/peer.lua"
rate() { # url wrk-arguments…
  local url=$1; shift
  taskset -c 1 wrk -t1 -c16 -d"${seconds}s" "$@" "$url" >"$dir/wrk"
  if grep -q 'Non-2xx' "$dir/wrk"; then cat "$dir/wrk" >&2; exit 1; fi
  awk '/Requests\/sec/ { print $2 }' "$dir/wrk"
}
for ((i = 0; i < rounds; i++)); do
  h=$(rate http://127.0.0.1:4104/)
  p=$(rate http://127.0.0.1:4103/token -s "$dir/peer.lua")
  k=$(rate http://127.0.0.1:4102/oauth/token -s "$dir/keystead.lua")
  echo "$h $p $k" | awk '{ printf "%s %s %s %.3f %.3f\n", $1, $2, $3, $3 / $2, $3 / $1 }' | tee -a "$dir/rounds"
done
median() { cut -d' ' -f"$1" "$dir/rounds" | sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
printf 'hello %s/s  oidc-provider %s/s  keystead %s/s  median ratio %s to oidc-provider, %s to hello, over %s rounds\n' \
  "$(median 1)" "$(median 2)" "$(median 3)" "$(median 4)" "$(median 5)" "$rounds"
