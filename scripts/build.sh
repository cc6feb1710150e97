#!/usr/bin/env bash
# scripts/build.sh site      the browser's part, into target/site, when its sources changed
# scripts/build.sh debug     and the server for development: target/debug/keystead reads target/site
# scripts/build.sh run       and the server for `make run`: optimised, but not as slowly as a release
# scripts/build.sh release   and the server for production: target/release/keystead, one file
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
scripts/setup.sh build
what=${1:-release}
say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }

stamp=target/site/.built
sources=(app frontend style crates/contract index.html Trunk.toml Cargo.lock package-lock.json scripts/assets.sh)
if [ ! -e "$stamp" ] || [ -n "$(find "${sources[@]}" -newer "$stamp" -type f -print -quit)" ]; then
  if [ -e "$stamp" ]; then say "building the browser's part (about a minute)"; else say "building the browser's part (about 4 minutes the first time)"; fi
  # Debian's toolchain, where rustup has no target for WebAssembly.
  if [ "${KEYSTEAD_WASM:-}" = debian ] || [ ! -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib" ]; then
    export RUSTUP_TOOLCHAIN=debian CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=wasm-ld-19
  fi
  env -u RUSTFLAGS trunk build --release >&2
  node scripts/compress.mjs target/site
  touch "$stamp"
  unset RUSTUP_TOOLCHAIN CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER
fi
# Only a first build takes that long; what changed since takes seconds, and is not announced as more.
server() { # what profile minutes cargo-arguments…
  local what=$1 profile=$2 minutes=$3; shift 3
  if [ -e "target/$profile/keystead" ]; then say "building $what"; else say "building $what (about $minutes minutes the first time)"; fi
  cargo build --quiet --locked "$@"
}
case $what in
  site) ;;
  debug) server "the server for development" debug 6 ;;
  run) server "the server" quick 8 --profile quick ;;
  release) server "the release" release 12 --release ;;
esac
