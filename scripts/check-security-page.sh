#!/usr/bin/env bash
# Each test named in docs/security.md exists; a number marked as tested names at least one.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=0
while read -r name; do
  grep -rqE "(fn ${name}\b|['\"\`]${name}['\"\`]|test\('${name})" crates server end2end app --include='*.rs' --include='*.ts' --include='*.mjs' ||
    { echo "docs/security.md names a test that does not exist: $name" >&2; missing=1; }
done < <(grep -oE '`s[0-9]+_[a-z0-9_]+`' docs/security.md | tr -d '`' | sort -u)
# Browser tests have sentences for names: “s31: …” in the page is their common start.
while read -r start; do
  grep -rqF "('$start" end2end/tests || { echo "docs/security.md names a browser test that does not exist: $start" >&2; missing=1; }
done < <(grep -oE '“s[0-9]+:' docs/security.md | tr -d '“' | sort -u)
# A row that is tested names a test.
grep -nE '^\| [0-9]+ ' docs/security.md | grep -E '\| tested' | grep -vE '`s[0-9]+_|“s[0-9]+:' &&
  { echo "docs/security.md: rows above are marked as tested and name no test" >&2; missing=1; }
exit $missing
