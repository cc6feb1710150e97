#!/usr/bin/env bash
# The browser tests, against target/debug/keystead and target/site as they are (scripts/build.sh debug makes both).
# Everything on SQLite; with KEYSTEAD_TEST_POSTGRES_URL the main journey on PostgreSQL too. Arguments go to Playwright:
#   scripts/e2e.sh -g "wrong password"      scripts/with-postgres.sh scripts/e2e.sh
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
export KEYSTEAD_BIN="${KEYSTEAD_BIN:-$PWD/target/debug/keystead}"
[ -x "$KEYSTEAD_BIN" ] || { echo "$KEYSTEAD_BIN is missing: run scripts/build.sh debug" >&2; exit 1; }
[ -e target/site/index.html ] || { echo "target/site is missing: run scripts/build.sh site" >&2; exit 1; }
[ -x node_modules/.bin/playwright ] || { echo "Playwright is missing: run scripts/setup.sh test" >&2; exit 1; }
exec node_modules/.bin/playwright test -c end2end "$@"
