# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests with real daemons on hosts made of namespaces (scripts/lib/hosts.sh). Source it; it
# makes a directory, puts the programs under test in PATH and removes every host at exit.
#
#   WIGEON_BIN or WIGEON_BUILD/bin   where wigeond, wigeon and wigeon-resolver are
#
#   check SENTENCE CMD…        "ok - SENTENCE", or the command's output and the end of the test
#   check_not SENTENCE CMD…    the same for a command that must fail
#   check_exit N SENTENCE CMD… exactly this exit code
#   wait_for SECONDS CMD…      until CMD succeeds
#   daemon_start HOST [ARG…]   wigeond on a host; log in $logs/HOST.log; waits for its socket
#   daemon_kill HOST SIGNAL
#   hosts_with_maps            alpha and beta, joined, with keys, settings and maps in place
#   full                       false with FULL=0: only the cases that depend on who carries the
#                              tunnel, kernel or process

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
# shellcheck source=scripts/lib/hosts.sh
. "$root/scripts/lib/hosts.sh"

bin=${WIGEON_BIN:-${WIGEON_BUILD:-$root/build/dev}/bin}
export PATH=$bin:/usr/sbin:/usr/bin:/sbin:/bin

skip() {
  echo "skipped: $*"
  exit 77
}
[ "$(id -u)" = 0 ] || skip "needs root"
[ -x "$bin/wigeond" ] || skip "needs $bin/wigeond"

work=$(mktemp -d "${TMPDIR:-/tmp}/wigeon-test.XXXXXX")
logs=$work
checks=0
full() { [ "${FULL:-1}" = 1 ]; }
exec {never}<> <(:) # nothing ever comes here: reading it with a limit is a sleep without a process

finish() {
  local rc=$?
  trap - EXIT INT TERM
  if [ "$rc" != 0 ] && [ "$rc" != 77 ]; then
    for log in "$logs"/*.log; do
      [ -e "$log" ] || continue
      echo "--- ${log##*/} (last 40 lines)"
      tail -40 "$log"
    done
  fi
  hosts_remove_all
  [ "$rc" != 0 ] || echo "$checks checks"
  exit "$rc"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

passed() {
  checks=$((checks + 1))
  echo "ok - $1"
}

failed() {
  echo "not ok - $1"
  exit 1
}

check() {
  local sentence=$1
  shift
  "$@" >"$work/out" 2>&1 || {
    echo "# $*"
    cat "$work/out"
    failed "$sentence"
  }
  passed "$sentence"
}

check_not() {
  local sentence=$1
  shift
  if "$@" >"$work/out" 2>&1; then
    echo "# $*"
    cat "$work/out"
    failed "$sentence"
  fi
  passed "$sentence"
}

check_exit() {
  local want=$1 sentence=$2 got=0
  shift 2
  "$@" >"$work/out" 2>&1 || got=$?
  [ "$got" = "$want" ] || {
    echo "# $* -> $got, not $want"
    cat "$work/out"
    failed "$sentence"
  }
  passed "$sentence"
}

# The output of the last check has this text.
check_said() {
  grep -qF -- "$2" "$work/out" || {
    cat "$work/out"
    failed "$1: no \"$2\" in the output"
  }
  passed "$1"
}

wait_for() {
  local end=$((SECONDS + $1))
  shift
  until "$@" >"$work/wait" 2>&1; do
    [ $SECONDS -lt $end ] || {
      cat "$work/wait"
      echo "# still failing: $*"
      return 1
    }
    read -rt 0.05 -u "$never" || true
  done
}

equal() {
  [ "$1" = "$2" ] || {
    diff <(printf '%s\n' "$1") <(printf '%s\n' "$2")
    return 1
  }
}

declare -A daemon_pid=()

# The daemon's pid, as this shell sees it.
find_daemon() {
  local host=$1 pid
  for pid in $(pgrep -x wigeond --ns "${host_pid[$host]}" --nslist pid); do
    # The lookup child and the resolver's parent side are forks of it: take the oldest.
    daemon_pid[$host]=$pid
    return 0
  done
  return 1
}

daemon_start() {
  local host=$1
  shift
  host_start "$host" "$logs/$host.log" wigeond "$@"
  wait_for 10 host_run "$host" wigeon version --daemon
  find_daemon "$host"
}

daemon_kill() {
  local host=$1 signal=$2
  kill "-$signal" "${daemon_pid[$host]}"
  wait_for 10 sh -c "! kill -0 ${daemon_pid[$host]} 2>/dev/null"
  unset "daemon_pid[$host]"
}

# put_map HOST FILE: as Ansible does it, by renaming a complete file into place.
put_map() {
  host_run "$1" sh -c 'cat > /etc/wigeon/.network_map.json.tmp && mv /etc/wigeon/.network_map.json.tmp /etc/wigeon/network_map.json' <"$2"
}

make_maps() { # SERIAL [INVENTORY]
  "$root/scripts/make-map" "${2:-$root/scripts/examples/inventory.json}" \
    --keys "$work/keys" --all "$work/maps" --serial "$1"
}

hosts_with_maps() {
  local host
  hosts_init "$work"
  for host in alpha beta; do host_make "$host"; done
  host_join alpha 192.0.2.1/24 beta 192.0.2.2/24
  mkdir -p "$work/keys" "$work/maps"
  for host in alpha beta; do
    host_run "$host" mkdir -p /etc/wigeon
    host_run "$host" sh -c 'echo "{\"dns\":{\"redirect\":\"bind\"}}" > /etc/wigeon/config.json'
    host_run "$host" wigeond --print-public-key >"$work/keys/$host.pub"
  done
  make_maps 1
  for host in alpha beta; do put_map "$host" "$work/maps/$host.json"; done
}

both_up() {
  local host
  for host in alpha beta; do daemon_start "$host"; done
  for host in alpha beta; do
    check "$host is up" host_run "$host" wigeon up --wait --timeout 15
  done
}

status_json() { host_run "$1" wigeon status --json; }
status_is() { # HOST JQ-EXPRESSION
  status_json "$1" | jq -e "$2" >/dev/null
}
