#!/usr/bin/env bash
# Could tailwind-rs make the console's CSS by now? Repeats the trial of docs/adr/0001-tailwind.md: the newest published
# crates get the classes of tailwind-rs-check/classes.txt, and their CSS is compared with what the classes mean.
# Prints a table and ends in `usable` or `not usable`; both exit 0. Exits 1 when the trial could not run.
# Takes about three minutes and leaves nothing behind.
set -euo pipefail
cd "$(dirname "$0")/.."
here=$PWD/scripts/tailwind-rs-check
cli=$PWD/node_modules/.bin/tailwindcss
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export CARGO_TARGET_DIR=$work/target
unset RUSTFLAGS CARGO_BUILD_TARGET

say() { printf '%s\n' "$*" >&2; }
cannot_run() { say "The trial could not run: $*"; exit 1; }

command -v cargo >/dev/null || cannot_run "cargo is missing"
rustc --edition 2021 -o "$work/check" "$here/check.rs" || cannot_run "the checker does not build"
grep -vE '^(# |%|$)' "$here/classes.txt" | cut -d' ' -f1 >"$work/classes"
verdict='not usable'
declare -a rows=()

judge() { # label compiles tsv: adds a row; true when every class came out right
  local status=0
  rows+=("$("$work/check" "$here/classes.txt" "$3" "$1" "$2" 2>>"$work/details")") || status=$?
  [ $status = 0 ] || [ $status = 2 ] || cannot_run "the checker failed on $1"
  return $status
}

builds() { # crate: builds it in its throwaway package; the compiler's words go to build.log
  cargo build --quiet -p "$1" 2>"$work/build.log" && return
  grep -q 'could not compile' "$work/build.log" || { cat "$work/build.log" >&2; cannot_run "cargo failed before it compiled $1"; }
  return 1
}

run() { # crate: the CSS of every class, by the driver of the same name
  cp "$work/classes" src/classes
  cp "$here/$1.rs" src/main.rs
  cargo run --quiet 2>"$work/run.log" || { cat "$work/run.log" >&2; cannot_run "the API of $1 changed: mend scripts/tailwind-rs-check/$1.rs"; }
}

trial() { # crate [package=version…]: the newest release as published; where that does not compile, with the pins
  local crate=$1 version; shift
  say "trying $crate"
  mkdir -p "$work/$crate/src" && cd "$work/$crate"
  printf 'fn main() {}\n' >src/main.rs
  printf '[package]\nname = "trial"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n%s = "*"\n[workspace]\n' "$crate" >Cargo.toml
  cargo fetch --quiet || cannot_run "the registry is out of reach"
  version=$(cargo pkgid -p "$crate"); version=${version##*[@#]}
  if builds "$crate"; then
    run "$crate" >"$work/$crate.tsv"
    judge "$crate $version" yes "$work/$crate.tsv"
    return
  fi
  say "  $(grep -o 'could not compile.*' "$work/build.log" | head -n 1)"
  rows+=("$(printf '| %-32s | %-8s | %8s | %12s | %9s |' "$crate $version" no – – –)")
  [ $# -gt 0 ] || return 1
  for pin in "$@"; do
    cargo update --quiet -p "${pin%=*}" --precise "${pin#*=}" 2>/dev/null || return 1
  done
  builds "$crate" || return 1
  run "$crate" >"$work/$crate.tsv"
  judge "$crate, $# pins" yes "$work/$crate.tsv" || true
  return 1 # what needs pins that nobody maintains is not usable, however it fares
}

# Newer releases of these two broke what tailwind-rs 0.2.0 calls.
trial tailwind-rs parcel_selectors=0.24.7 tailwind-error=1.3.0 && verdict=usable
trial tailwind-rs-core && verdict=usable
trial encre-css || true

# The control: what the console is built with must pass, else the expectations are wrong.
if [ -x "$cli" ]; then
  say "trying the official CLI"
  mkdir -p "$work/official" && cd "$work/official"
  ln -s "${cli%/.bin/tailwindcss}" node_modules
  printf '@layer theme, utilities;\n@import "tailwindcss/theme" layer(theme);\n@import "tailwindcss/utilities" layer(utilities) source(none);\n@source "./class.txt";\n' >in.css
  : >class.txt
  "$cli" -i in.css -o empty.css 2>"$work/run.log" || { cat "$work/run.log" >&2; cannot_run "the official CLI failed"; }
  while IFS= read -r class; do
    printf '%s\n' "$class" >class.txt
    "$cli" -i in.css -o out.css 2>/dev/null
    if cmp -s out.css empty.css; then printf '%s\t\n' "$class"; else printf '%s\t%s\n' "$class" "$(tr '\n\t' '  ' <out.css)"; fi
  done <"$work/classes" >"$work/official.tsv"
  version=$(sed -n 's/.*"version": "\(.*\)".*/\1/p' node_modules/tailwindcss/package.json)
  judge "official CLI $version" yes "$work/official.tsv" || { cat "$work/details" >&2; cannot_run "the control failed: mend classes.txt"; }
else
  say "the official CLI is not installed: no control (npm install)"
fi

echo "tailwind-rs trial, $(date -u +%F), $(wc -l <"$work/classes" | tr -d ' ') classes"
printf '| %-32s | %-8s | %-8s | %-12s | %-9s |\n' engine compiles accepted 'right styles' 'right CSS'
echo '|----------------------------------|----------|---------:|-------------:|----------:|'
printf '%s\n' "${rows[@]}"
echo "right styles: declarations and conditions (hover, dark, width); right CSS: the selector matches the class as well"
cat "$work/details"
echo "$verdict"
