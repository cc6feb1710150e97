#!/usr/bin/env bash
# Schemathesis against the real binary: no 5xx, and no status, type or body that /openapi.json does not name. Starts
# Keystead on SQLite in a temporary folder; ends with `N passed, N failed`, where each operation counts once.
#   scripts/schemathesis.sh [path of the binary]
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
version=4.32.5
binary=${1:-target/debug/keystead}
say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
fail() { echo "$*" >&2; echo "0 passed, 1 failed"; exit 1; }

venv=$KEYSTEAD_TOOLS/schemathesis
if ! "$venv/bin/schemathesis" --version 2>/dev/null | grep -qwF "$version"; then
  say "installing schemathesis $version (PyPI, about 20 seconds)"
  rm -rf "$venv"
  python3 -m venv "$venv" && "$venv/bin/pip" install --quiet --disable-pip-version-check "schemathesis==$version" >&2 ||
    fail "schemathesis cannot be installed"
fi

dir=$(mktemp -d); server=
stop() { [ -z "$server" ] || { kill -TERM "$server" && wait "$server"; } 2>/dev/null; rm -rf "$dir"; }
trap stop EXIT
export KEYSTEAD_DATA_DIR=$dir/data KEYSTEAD_BIND=127.0.0.1:0 KEYSTEAD_SECURITY_CONTACT=mailto:security@acme.test
unset KEYSTEAD_DATABASE_URL
first=$(printf 'gravel orbit lantern seven' | "$binary" bootstrap --tenant Acme --email owner@acme.test --password-stdin --json) ||
  fail "bootstrap failed"
"$binary" serve >"$dir/out" 2>"$dir/log" & server=$!
for _ in $(seq 100); do
  url=$(sed -n 's/^Keystead listens on \(http:[^ ]*\) .*/\1/p' "$dir/out"); [ -n "$url" ] && break; sleep 0.1
done
[ -n "$url" ] || fail "the server did not start"

post() { curl -sS -f -X POST "$url$1" -H "X-API-Key: $admin" -H 'Content-Type: application/json' -d "$2"; }
admin=$(jq -r .api_key <<<"$first") gateway=$(jq -r .gateway_key <<<"$first")
# A key without a limit in the way, and objects that the requests may name.
limit='"rate_limit":{"per_hour":1000000000,"per_second":1000000}'
key=$(post /v1/api-keys '{"name":"tests","scopes":["admin"],'"$limit"'}' | jq -r .key)
target=$(post /v1/api-keys '{"name":"target","scopes":["thing:read"]}' | jq -r .id)
victim=$(post /v1/api-keys '{"name":"victim","scopes":["thing:read"]}' | jq -r .id)
sleep 0.2
event=$(curl -sS -f "$url/v1/usage/events?limit=1" -H "X-API-Key: $admin" | jq -r '.data[0].id')
[ -n "$key" ] && [ "${target#key_}" != "$target" ] && [ "${event#evt_}" != "$event" ] || fail "the first objects cannot be made"

# Half of the requests on objects name one that exists. Revoking has a key of its own, so that the others stay alive.
cat >"$dir/schemathesis.toml" <<TOML
[[operations]]
include-path-regex = "^/v1/api-keys/\\\\{id\\\\}"
parameters = { "path.id" = "$target" }
[[operations]]
include-operation-id = ["revokeApiKey", "deleteApiKey"]
parameters = { "path.id" = "$victim" }
[[operations]]
include-path = "/v1/usage/events/{id}"
parameters = { "path.id" = "$event" }
[[operations]]
include-path = "/v1/scopes/{name}"
parameters = { "path.name" = "thing:read" }
TOML

# run NAME CONFIG ARGUMENTS… : what was tested and what failed is added up.
passed=0 failed=0
run() {
  local name=$1 config=$2; shift 2
  say "schemathesis: $name"
  "$venv/bin/schemathesis" --config-file "$config" run "$url/openapi.json" --phases examples,coverage,fuzzing --seed 1 --no-shrink \
    --continue-on-failure --request-timeout 10 --suppress-health-check all --warnings off \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance \
    -H "X-API-Key: $key" -H "X-Keystead-Gateway: $gateway" --report ndjson --report-ndjson-path "$dir/$name.ndjson" "$@" 2>&1 | tee "$dir/$name"
  local status=${PIPESTATUS[0]} bad all
  all=$(sed -n 's/.*Selected: *\([0-9]*\)\/[0-9]*.*/\1/p' "$dir/$name" | tail -n 1)
  bad=$(grep -cE '^_+ (GET|POST|PUT|PATCH|DELETE) ' "$dir/$name")
  [ "$status" = 0 ] || [ "$bad" -gt 0 ] || bad=1
  failed=$((failed + bad)); passed=$((passed + ${all:-0} - bad))
}
: >"$dir/plain.toml"
# A stream has no end, and a list of addresses that shuts its author out ends the tests: that one comes last.
exclude=(--exclude-path-regex '/stream$' --exclude-path /v1/auth/ip-allowlist)
run objects "$dir/schemathesis.toml" --max-examples 30 "${exclude[@]}"
run anything "$dir/plain.toml" --max-examples 20 "${exclude[@]}"
run allowlist "$dir/plain.toml" --max-examples 10 --include-path /v1/auth/ip-allowlist
if grep -E 'panicked|request failed' "$dir/log" >&2; then failed=$((failed + 1)); fi
kill -0 "$server" || { echo "the server is gone" >&2; failed=$((failed + 1)); }
[ "$passed" -gt 0 ] || failed=$((failed + 1))
printf '%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
