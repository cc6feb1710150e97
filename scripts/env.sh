# Sourced by the other scripts: one place for the paths and names they share.
export KEYSTEAD_TOOLS="${KEYSTEAD_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/keystead-tools}"
export PATH="$PWD/node_modules/.bin:$KEYSTEAD_TOOLS/node/node_modules/.bin:$KEYSTEAD_TOOLS/bin:$PATH:/usr/sbin"
