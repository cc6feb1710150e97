#!/usr/bin/env bash
# Builds what is missing and serves. Arguments and KEYSTEAD_* go to the server: scripts/run.sh --bind 127.0.0.1:4000
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/build.sh run
exec target/quick/keystead serve "$@"
