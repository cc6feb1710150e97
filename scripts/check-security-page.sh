#!/usr/bin/env bash
# Each test named in docs/security.md exists; a number marked as tested names at least one.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=0
while read -r name; do
  grep -rqE "(fn ${name}\b|['\"\`]${name}['\"\`]|test\('${name})" crates server end2end app --include='*.rs' --include='*.ts' --include='*.mjs' ||
    { echo "docs/security.md names a test that does not exist: $name" >&2; missing=1; }
done < <(grep -oE '`s[0-9]+_[a-z0-9_]+`' docs/security.md | tr -d '`' | sort -u)
exit $missing
