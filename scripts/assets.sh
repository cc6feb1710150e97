#!/usr/bin/env bash
# Collects fonts and icons into target/assets; Trunk runs it before every build and serves them at /pkg/assets.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
out=target/assets
mkdir -p "$out"
fonts=node_modules/@fontsource-variable
cp "$fonts/geist/files/geist-latin-wght-normal.woff2" "$out/geist.woff2"
cp "$fonts/geist-mono/files/geist-mono-latin-wght-normal.woff2" "$out/geist-mono.woff2"
cp style/favicon.svg "$out/favicon.svg"
node scripts/icons.mjs app/src/icon.rs node_modules/lucide-static/icons "$out/icons.svg"
