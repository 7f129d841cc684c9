#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Exit codes and streams of the program `wigeon`.
set -u
wigeon=$WIGEON_BUILD/bin/wigeon
[ -x "$wigeon" ] || { echo "skip: $wigeon is not built"; exit 77; }
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
unset WIGEON_DAEMON_ADDR NB_DAEMON_ADDR
failures=0

# expect CODE args…: runs wigeon; what it says is in $dir/out and $dir/err.
expect() {
  local want=$1 got=0
  shift
  "$wigeon" "$@" >"$dir/out" 2>"$dir/err" || got=$?
  [ "$got" = "$want" ] && return
  echo "wigeon $*: exit code $got, not $want"
  cat "$dir/err"
  failures=$((failures + 1))
}
empty() {
  [ -s "$dir/$1" ] || return 0
  echo "std$1 should be empty and is: $(cat "$dir/$1")"
  failures=$((failures + 1))
}

expect 0 --help; empty err
expect 0 status --help; empty err
expect 0 version; empty err
expect 2; empty out
expect 2 statsu; empty out
expect 3 --daemon-addr "unix://$dir/none" status; empty out
expect 3 status --daemon-addr "unix://$dir/none" --check live; empty out
[ "$(wc -l <"$dir/err")" = 1 ] || { echo "a check says more than one line"; failures=1; }
expect 10 map check "$dir/none"
expect 10 --daemon-addr "unix://$dir/none" up --map "$dir/none"
"$wigeon" version >/dev/full 2>/dev/null && { echo "a full disk went unnoticed"; failures=1; }
[ "$failures" = 0 ]
