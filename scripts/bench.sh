#!/usr/bin/env bash
# Throughput of POST /v1/verify as a ratio to a bare axum hello, both in one run: interleaved rounds, medians.
#   scripts/bench.sh [rounds] [seconds]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
rounds=${1:-15} seconds=${2:-2}
command -v wrk >/dev/null || { [ "$(id -u)" = 0 ] && apt-get install -y -qq wrk >&2; }
command -v jq >/dev/null || { [ "$(id -u)" = 0 ] && apt-get install -y -qq jq >&2; }
cargo build --quiet --locked --profile quick -p keystead --bin keystead --example hello
dir=$(mktemp -d)
hello='' keystead=''
trap 'kill $hello $keystead 2>/dev/null || true; rm -rf "$dir"' EXIT
export KEYSTEAD_DATA_DIR="$dir/data" RUST_LOG=warn
first=$(printf 'gravel orbit lantern seven' | target/quick/keystead bootstrap --tenant Bench --email bench@bench.test --password-stdin --json)
taskset -c 0 target/quick/keystead --bind 127.0.0.1:4101 serve >/dev/null & keystead=$!
taskset -c 0 target/quick/examples/hello 127.0.0.1:4100 >/dev/null & hello=$!
sleep 1
# A cost of 0 asks the limiter without ever being refused by it.
cat >"$dir/verify.lua" <<LUA
wrk.method = "POST"
wrk.headers["Authorization"] = "Bearer $(jq -r .gateway_key <<<"$first")"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"credential":"$(jq -r .api_key <<<"$first")","scopes":["users:read"],"ip":"203.0.113.9","method":"GET","path":"/v2/users","cost":0}'
LUA
rate() { taskset -c 1 wrk -t1 -c16 -d"${seconds}s" "$@" | awk '/Requests\/sec/ { print $2 }'; }
for ((i = 0; i < rounds; i++)); do
  h=$(rate http://127.0.0.1:4100/); v=$(rate -s "$dir/verify.lua" http://127.0.0.1:4101/v1/verify)
  echo "$h $v" | awk '{ printf "%s %s %.3f\n", $1, $2, $2 / $1 }' | tee -a "$dir/rounds"
done
median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
printf 'hello %s/s  verify %s/s  median ratio %s over %s rounds\n' "$(cut -d' ' -f1 "$dir/rounds" | median)" \
  "$(cut -d' ' -f2 "$dir/rounds" | median)" "$(cut -d' ' -f3 "$dir/rounds" | median)" "$rounds"
