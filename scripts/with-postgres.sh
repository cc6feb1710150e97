#!/usr/bin/env bash
# Starts a private PostgreSQL in a temporary folder, runs the given command with KEYSTEAD_TEST_POSTGRES_URL set, and
# removes it again:   scripts/with-postgres.sh cargo test
set -euo pipefail
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || { echo "PostgreSQL is missing: run scripts/setup.sh test" >&2; exit 1; }
dir=$(mktemp -d)
port=$(python3 -c 'import socket; s=socket.socket(); s.bind(("127.0.0.1",0)); print(s.getsockname()[1])')
# PostgreSQL refuses to run as root.
if [ "$(id -u)" = 0 ]; then chown postgres "$dir"; as() { runuser -u postgres -- "$@"; }; else as() { "$@"; }; fi
stop() { as "$bin/pg_ctl" -D "$dir/data" -m immediate stop >/dev/null 2>&1 || true; rm -rf "$dir"; }
trap stop EXIT
cd "$dir"
as "$bin/initdb" -D "$dir/data" -U postgres -A trust --no-sync >/dev/null
# Durability is PostgreSQL's own business; the tests only ask whether our statements are right.
as "$bin/pg_ctl" -D "$dir/data" -w -l "$dir/log" -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories=$dir \
  -c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=500 -c shared_buffers=64MB" start >/dev/null
cd "$OLDPWD"
# Servers run under an ordinary role that owns its databases; the other two are for the test that they are refused.
"$bin/psql" -qX -h 127.0.0.1 -p "$port" -U postgres -d postgres -c "CREATE ROLE keystead LOGIN CREATEDB" \
  -c "CREATE ROLE keystead_bypassrls LOGIN BYPASSRLS"
export KEYSTEAD_TEST_POSTGRES_URL="postgres://keystead@127.0.0.1:$port"
"$@"
