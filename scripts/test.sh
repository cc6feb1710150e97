#!/usr/bin/env bash
# scripts/test.sh all    units, both databases, HTTP, gateways, guides, schemathesis, browser; ends with `N passed, N failed`
# scripts/test.sh unit   everything but schemathesis and the browser
# scripts/test.sh schemathesis    the document against the running binary only
# scripts/test.sh e2e    the browser only
# `all` starts the release wherever a test starts the binary, for that is what people run; a part of it takes the debug
# build, which is there in a minute.
# Nothing is skipped: what is missing is installed, or the run fails.
set -uo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
what=${1:-all}
say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
log=$(mktemp -d); trap 'rm -rf "$log"' EXIT
passed=0 failed=0 broken=0

scripts/setup.sh test || exit 1
if [ "$what" = all ]; then profile=release; else profile=debug; fi
scripts/build.sh $profile || exit 1
export KEYSTEAD_BIN=$PWD/target/$profile/keystead

rust_tests() {
  say "unit, database, HTTP and gateway tests"
  if command -v cargo-nextest >/dev/null; then
    scripts/with-postgres.sh cargo nextest run --workspace --exclude frontend --no-fail-fast --locked 2>&1 | tee "$log/rust"
    local status=${PIPESTATUS[0]}
    # What nextest says at its end.
    passed=$((passed + $(sed -n 's/.* tests\? run: \([0-9]*\) passed.*/\1/p' "$log/rust" | tail -n 1 || echo 0)))
    failed=$((failed + $(sed -n 's/.* tests\? run: .* \([0-9]*\) failed.*/\1/p' "$log/rust" | tail -n 1 | grep . || echo 0)))
  else
    scripts/with-postgres.sh cargo test --workspace --exclude frontend --no-fail-fast --locked 2>&1 | tee "$log/rust"
    local status=${PIPESTATUS[0]}
    passed=$((passed + $(awk '/^test result:/ { n += $4 } END { print n + 0 }' "$log/rust")))
    failed=$((failed + $(awk '/^test result:/ { n += $6 } END { print n + 0 }' "$log/rust")))
  fi
  [ "$status" = 0 ] || broken=1
  scripts/check-conformance.sh "$log/rust" || broken=1
}

browser_tests() {
  say "browser tests"
  scripts/with-postgres.sh scripts/e2e.sh 2>&1 | tee "$log/e2e"
  local status=${PIPESTATUS[0]}
  passed=$((passed + $(awk '$2 == "passed" && $1 ~ /^[0-9]+$/ { n += $1 } END { print n + 0 }' "$log/e2e")))
  failed=$((failed + $(awk '$2 == "failed" && $1 ~ /^[0-9]+$/ { n += $1 } END { print n + 0 }' "$log/e2e")))
  [ "$status" = 0 ] || broken=1
}

document_tests() {
  say "schemathesis (about 2 minutes)"
  scripts/schemathesis.sh "$KEYSTEAD_BIN" 2>&1 | tee "$log/schemathesis"
  local status=${PIPESTATUS[0]} last
  last=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log/schemathesis" | tail -n 1)
  passed=$((passed + $(sed 's/ passed.*//' <<<"${last:-0}")))
  failed=$((failed + $(sed -n 's/.*, \([0-9]*\) failed/\1/p' <<<"$last" | grep . || echo 0)))
  [ "$status" = 0 ] || broken=1
}

case $what in
  all) rust_tests; document_tests; browser_tests ;;
  schemathesis) document_tests ;;
  unit) rust_tests ;;
  e2e) browser_tests ;;
esac

# A run that broke without a failed test has failed all the same; one that ran nothing, too.
[ "$broken" = 1 ] && [ "$failed" = 0 ] && failed=1
[ "$passed" = 0 ] && failed=$((failed + 1))
printf '\n%s passed, %s failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
