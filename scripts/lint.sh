#!/usr/bin/env bash
# Format, clippy, licences and bans, the security page, and what the browser's part may know.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
scripts/setup.sh lint

say "format"
cargo fmt --all --check

say "clippy (about 4 minutes the first time)"
cargo clippy --quiet --locked --workspace --exclude frontend --all-targets -- -D warnings
if [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib" ]; then
  cargo clippy --quiet --locked -p frontend --target wasm32-unknown-unknown -- -D warnings
fi

say "licences, bans, sources"
cargo deny --locked --log-level error check bans licenses sources
# The advisories lie in a git repository on another host: checked wherever that can be reached, and said where not.
if timeout 60 cargo deny --locked --log-level error fetch db >/dev/null 2>&1; then
  cargo deny --locked --log-level error check advisories
else
  say "NOT CHECKED: advisories (the advisory database cannot be reached from here)"
fi

say "the browser's part knows neither the database nor the server"
tree=$(cargo tree --locked -p frontend --target wasm32-unknown-unknown --edges normal --prefix none --format '{p}')
for never in sqlx tokio domain axum argon2 aws-lc-rs leptos_router leptos_meta utoipa; do
  if grep -qE "^$never(-[a-z]+)? v" <<<"$tree"; then echo "the WebAssembly build depends on $never" >&2; exit 1; fi
done

say "every test that docs/security.md names exists"
scripts/check-security-page.sh
scripts/check-conformance.sh
