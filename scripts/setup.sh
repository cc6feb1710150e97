#!/usr/bin/env bash
# Installs what a build (and, with "test" or "lint", what the tests or the linters) need, and nothing that is
# already there in the right version. Everything comes from the ordinary registries: Debian, crates.io, npm, PyPI.
#   scripts/setup.sh build|test|lint
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/env.sh
what=${1:-build}

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
have() { command -v "$1" >/dev/null 2>&1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }

apt_updated=
apt() { # command-or-file package… : installs the packages when the first word is missing
  local probe=$1; shift
  if have "$probe" || [ -e "$probe" ]; then return; fi
  say "installing $* (Debian, up to a minute)"
  [ -n "$apt_updated" ] || { as_root apt-get update -qq >&2; apt_updated=1; }
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >&2
}

daemon() { # file unit package… : the same for a server, which Debian would start at once and at every boot
  local file=$1 unit=$2 policy=/usr/sbin/policy-rc.d ours= failed=; shift 2
  [ -e "$file" ] && return
  if [ ! -e "$policy" ]; then
    ours=1; printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null; as_root chmod 755 "$policy"
  fi
  apt "$file" "$@" || failed=1
  [ -z "$ours" ] || as_root rm -f "$policy"
  [ -z "$failed" ] || exit 1
  as_root systemctl disable --quiet "$unit" >/dev/null 2>&1 || true # nothing to disable where there is no systemd
}

tool() { # name version seconds cargo-install-arguments…
  local name=$1 version=$2 took=$3; shift 3
  if "$KEYSTEAD_TOOLS/bin/$name" --version 2>/dev/null | grep -qwF "$version"; then return; fi
  if have "$name" && "$name" --version 2>/dev/null | grep -qwF "$version"; then return; fi
  say "building $name $version (once, about $took minutes on two cores)"
  # The release profile of these tools is made for speed at run time; ours only has to be built.
  CARGO_PROFILE_RELEASE_LTO=off CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_OPT_LEVEL=1 \
    CARGO_PROFILE_RELEASE_DEBUG=0 cargo install --quiet --root "$KEYSTEAD_TOOLS" "$@" >&2
}

have cargo || { echo "Rust is missing: install it from https://rustup.rs" >&2; exit 1; }
apt cc build-essential
apt pkg-config pkg-config

# --- a WebAssembly target: rustup's where its server can be reached, else Debian's, linked as a toolchain ------
# KEYSTEAD_WASM=debian takes Debian's even where rustup has one, to try that way.
wasm_ready() {
  [ -x /opt/rust-debian/bin/rustc ] ||
    { [ "${KEYSTEAD_WASM:-}" != debian ] && [ -d "$(rustc --print sysroot)/lib/rustlib/wasm32-unknown-unknown/lib" ]; }
}
if ! wasm_ready; then
  say "adding the WebAssembly target (seconds from rustup, about 4 minutes from Debian)"
  if [ "${KEYSTEAD_WASM:-}" = debian ] || ! { have rustup && timeout 45 rustup target add wasm32-unknown-unknown >/dev/null 2>&1; }; then
    say "rustup's server is out of reach: taking Debian's Rust for WebAssembly"
    apt /usr/bin/wasm-ld-19 lld-19
    apt /usr/src/rustc-web-probe rustc-web cargo-web rust-web-src
    work=$(mktemp -d)
    mkdir -p "$work/src"; : >"$work/src/lib.rs"
    printf '[package]\nname = "std-for-wasm"\nversion = "0.0.0"\nedition = "2021"\n' >"$work/Cargo.toml"
    (cd "$work" && env -u RUSTUP_TOOLCHAIN RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc /usr/bin/cargo build --quiet --release \
      --target wasm32-unknown-unknown -Z build-std=std,panic_abort >&2)
    lib=/usr/lib/rustlib/wasm32-unknown-unknown/lib
    as_root mkdir -p "$lib"
    rm -f "$work"/target/wasm32-unknown-unknown/release/deps/libstd_for_wasm*
    as_root cp "$work"/target/wasm32-unknown-unknown/release/deps/*.rlib "$lib/"
    as_root mkdir -p /opt/rust-debian/bin
    as_root ln -sf /usr/bin/rustc /usr/bin/cargo /usr/bin/rustdoc /opt/rust-debian/bin/
    as_root ln -sfn /usr/lib /opt/rust-debian/lib
    rm -rf "$work"
  fi
fi
if [ -x /opt/rust-debian/bin/rustc ] && ! rustup toolchain list | grep -q '^debian'; then
  rustup toolchain link debian /opt/rust-debian
fi

# --- Node carries Tailwind, wasm-opt, the fonts and the icons --------------------------------------------------
node_major() { node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/'; }
if ! have npm || [ "$(node_major)" -lt 20 ]; then
  apt npm nodejs npm
  if [ "$(node_major)" -lt 20 ]; then
    say "Node $(node_major) is too old for Tailwind: installing Node 22 from npm"
    npm install --silent --no-save --prefix "$KEYSTEAD_TOOLS/node" node@22 >&2
  fi
fi
if [ ! -e node_modules/.keystead ] || [ package-lock.json -nt node_modules/.keystead ]; then
  say "installing front-end packages (npm, about 20 seconds)"
  # not `npm ci`: it insists on platform packages that not every registry mirror carries
  PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm install --no-save --loglevel=error --no-audit --no-fund >&2
  touch node_modules/.keystead
fi

bindgen=$(sed -n '/^name = "wasm-bindgen"$/{n;s/version = "\(.*\)"/\1/p}' Cargo.lock)
tool wasm-bindgen "$bindgen" 4 "wasm-bindgen-cli@$bindgen" --no-default-features
tool trunk 0.21.14 6 trunk@0.21.14 --locked --no-default-features

if [ "$what" = test ]; then
  apt /usr/bin/chromium chromium
  daemon /usr/sbin/nginx nginx nginx-light
  daemon /usr/bin/caddy caddy caddy
  daemon /usr/sbin/haproxy haproxy haproxy
  apt /usr/lib/apache2/modules/mod_auth_openidc.so apache2-bin libapache2-mod-auth-openidc
  daemon /usr/lib/postgresql postgresql postgresql
  apt curl curl
  apt openssl openssl
  apt /usr/lib/python3/dist-packages/requests python3-requests
  apt jq jq
  apt oathtool oathtool
  python3 -c 'import ensurepip' 2>/dev/null || apt python3-venv-probe python3-venv
  # Programs that are not ours read what is ours: PyJWT verifies our tokens, aiosmtpd takes our mails, pyotp makes codes,
  # authlib and requests-oauthlib are clients of the authorization server, standardwebhooks receives what is signed.
  verifiers=$KEYSTEAD_TOOLS/verifiers
  wanted='pyjwt[crypto]==2.15.1 aiosmtpd==1.4.6 pyotp==2.12.0 authlib==1.9.9 requests==2.34.2 requests-oauthlib==2.0.0 standardwebhooks==1.1.0'
  if [ "$(cat "$verifiers/wanted" 2>/dev/null)" != "$wanted" ]; then
    say "installing $wanted (PyPI, about 10 seconds)"
    rm -rf "$verifiers"
    # shellcheck disable=SC2086 # several words
    python3 -m venv "$verifiers" && "$verifiers/bin/pip" install --quiet --disable-pip-version-check $wanted >&2
    echo "$wanted" >"$verifiers/wanted"
  fi
fi
if [ "$what" = lint ]; then
  tool cargo-deny 0.20.2 5 cargo-deny@0.20.2 --locked --no-default-features
fi
