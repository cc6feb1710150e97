#!/usr/bin/env bash
# Each test that docs/oauth-conformance.md names exists; with the log of a run, each ran and passed.
#   scripts/check-conformance.sh [log]
set -euo pipefail
cd "$(dirname "$0")/.."
missing=0
while read -r name; do
  grep -rqE "fn ${name}\b" crates server --include='*.rs' ||
    { echo "docs/oauth-conformance.md names a test that does not exist: $name" >&2; missing=1; }
  [ $# = 0 ] || grep -qE "(PASS|ok$).*\b${name}\b|\b${name}\b.*\bok$" "$1" ||
    { echo "docs/oauth-conformance.md names a test that did not run: $name" >&2; missing=1; }
done < <(grep -oE '`[a-z0-9_]{12,}`' docs/oauth-conformance.md | tr -d '`' | grep -E '(_.*){4}' | sort -u)
exit $missing
