#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# `wigeon state` and the wigeond it runs: words, exit codes, what reaches whom.
set -u
bin=$WIGEON_BUILD/bin
for program in wigeon wigeond; do
  [ -x "$bin/$program" ] || { echo "SKIP: needs $bin/$program"; exit 77; }
done
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
failures=0

bad() {
  echo "$*"
  cat "$dir/out" "$dir/err"
  failures=$((failures + 1))
}
# expect CODE TEXT args…: `wigeon state args…`; TEXT is in what it says, or all of it after "=".
expect() {
  local want=$1 text=$2 got=0
  shift 2
  "$bin/wigeon" state "$@" --config "$dir/config.json" >"$dir/out" 2>"$dir/err" || got=$?
  [ "$got" = "$want" ] || bad "wigeon state $*: exit code $got, not $want"
  case $text in
    =*) [ "$(cat "$dir/out")" = "$(printf '%b' "${text#=}")" ] || bad "wigeon state $*: not ${text#=}" ;;
    *) grep -qF -- "$text" "$dir/out" "$dir/err" || bad "wigeon state $*: no $text" ;;
  esac
}
journal() { printf '%s\n' "$@" >"$dir/state/journal"; }

mkdir "$dir/state"
printf '{"stateDirectory":"%s/state","runtimeDirectory":"%s/run"}' "$dir" "$dir" >"$dir/config.json"
# Would move the state elsewhere, if it got there.
export WIGEON_STATE_DIRECTORY=$dir/nowhere

expect 0 '=\nStored states:\n\n' list
expect 0 '={"states":[]}' list --json
journal 'v1 + link wt0 wireguard wigeon:0123456789abcdef' 'v1 + rule pref 105 lookup 254' \
  'v1 + rule pref "110"'
expect 0 '=\nStored states:\n\n- link_state\n- rule_state\n' list
expect 0 '={"states":[{"name":"link_state","entries":["wt0 wireguard wigeon:0123456789abcdef"]},{"name":"rule_state","entries":["pref \\"110\\"","pref 105 lookup 254"]}]}' list --json
journal nonsense
expect 1 'is not a journal line' list
expect 2 'cannot specify both --all flag and state name' clean -a link_state
expect 2 'must specify either a state name or use --all flag' delete
expect 10 'there is no state "x"' delete x

journal 'v1 + link wt0 wireguard a' 'v1 + rule pref 105' 'v1 + rule pref 110'
expect 0 '=Successfully deleted state "rule_state"' delete rule_state
expect 0 '=No states were deleted' delete rule_state
journal 'v1 + link wt0 wireguard a' 'v1 + rule pref 105' 'v1 + rule pref 110'
expect 0 '=Successfully deleted 2 states' delete --all
expect 0 '=No states were deleted' delete --all
[ ! -e "$dir/nowhere" ] || bad "the environment reached wigeond"
echo '{"mtuu":1}' >"$dir/config.json"
expect 7 '/mtuu' list

[ "$failures" = 0 ] && echo ok
exit "$failures"
