#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The daemon dies at the worst moments of `up` and of `down`: just before each system call that
# changes the host or the daemon's records. One run is recorded, the calls that change something
# are its moments, and at each of them strace kills a run of its own. What is true before a call is
# true after the one before it.
#
# After each death `wigeon state clean` gives back the host of before; after a second one at the
# same moment a plain restart makes the host as wanted.
#
#   CRASH_POINTS=N    at most N moments of `up` and N of `down`, evenly chosen (12)
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/snapshot.sh
. "$(dirname "$0")/snapshot.sh"
for tool in jq wg nft tc ss strace python3; do command -v $tool >/dev/null || skip "needs $tool"; done
strace -o /dev/null true 2>/dev/null || skip "needs ptrace"

points=${CRASH_POINTS:-12}
calls=sendto,sendmsg,write,fdatasync,rename,unlink,pidfd_open,bpf
# Leak detection and ptrace do not go together.
export ASAN_OPTIONS=detect_leaks=0
trace=$work/trace

hosts_with_maps
on() { host_run alpha "$@"; }
jq '.remotePeers[0].allowedIps += ["10.77.0.0/16", "fd00:77::/48", "0.0.0.0/0", "::/0"]' \
  "$work/maps/alpha.json" >"$work/routes.json"
put_map alpha "$work/routes.json"
on sh -c 'echo "{\"dns\":{\"redirect\":\"auto\"},\"routing\":{\"allowDefaultRoute\":true}}" >/etc/wigeon/config.json'
on ip rule add pref 5270 lookup 52
on ip route add throw 127.0.0.0/8 table 52

picture() {
  wait_for 10 host_settled alpha
  host_snapshot alpha
}
# What `up` is for. A link made anew has another index.
wanted() {
  on sh -c 'ip -br link show wt0 | grep -o "[,<]UP[,>]"
    ip -br address show wt0 | sed "s/fe80[^ ]*//"
    ip rule; ip -6 rule
    ip route show table all proto 89; ip -6 route show table all proto 89
    wg show wt0 dump | cut -f1-4,8' 2>&1 | sed 's/ *$//' | sort
}

no_resolver() { ! pgrep -x wigeon-resolver --ns "${host_pid[alpha]}" --nslist pid; }
died() { grep -q '^+++ ' "$trace"; }
ready() { on wigeon status --check ready; }
died_or_ready() { died || ready; }

up_traced() { # STRACE-ARGUMENT…: until it is up, or has died
  : >"$trace"
  host_start alpha "$logs/alpha.log" strace -D -o "$trace" "$@" wigeond
  wait_for 20 died_or_ready
}

down_traced() {
  : >"$trace"
  find_daemon alpha
  # On the host, or strace would not know which sockets are netlink's.
  host_run alpha strace -o "$trace" -p "$(on pgrep -x -o wigeond)" "$@" 2>/dev/null &
  local tracer=$!
  wait_for 5 sh -c "! grep -q '^TracerPid:.0$' /proc/${daemon_pid[alpha]}/status"
  # strace writes of a death a moment after everybody else has noticed.
  if on wigeon down >/dev/null 2>&1; then
    read -rt 0.2 -u "$never" || true
  else
    wait_for 1 died >/dev/null || true
  fi
  died || kill "$tracer" 2>/dev/null || true
  wait "$tracer" 2>/dev/null || true
}

# Ends whatever runs, and what a strace that lost its daemon may still hold.
end_daemon() {
  # It may be dying already.
  if find_daemon alpha; then daemon_kill alpha KILL 2>/dev/null || true; fi
  wait_for 5 no_resolver
}

# "CALL N" for each recorded call that changes something; N counts the calls of that name.
moments() {
  awk -F'(' '
    /^[a-z]/ {
      n[$1]++
      if (/RTM_(NEW|DEL|SET)|"set=1|nlmsg_type=wireguard/ || $1 == "sendmsg" || /"v1 [-+] / ||
          $1 ~ /fdatasync|rename|unlink|pidfd_open/ || /BPF_(LINK_CREATE|LINK_UPDATE|OBJ_PIN|MAP_UPDATE_ELEM)/)
        print $1, n[$1]
    }' "$trace" | awk -v max="$points" '
    { line[NR] = $0 }
    END {
      step = NR > max ? NR / max : 1
      for (at = 1; at <= NR; at += step) print line[int(at)]
    }'
}

kill_at() { echo "-e trace=$1 -e inject=$1:signal=SIGKILL:when=$2"; }

before=$(picture)
up_traced -e trace=$calls
moments >"$work/up"
check "it comes up under strace" ready
full=$(wanted)
for part in '0x1bd00' 'default dev wt0 table 7120' 'fd00:77::/48 dev wt0' 'lookup 7120'; do
  check "wanted is \"$part\" too" grep -q -- "$part" <<<"$full"
done
end_daemon

daemon_start alpha
check "a restart takes up where it was" on wigeon up --wait --timeout 20
check "and that is as wanted" equal "$full" "$(wanted)"
down_traced -e trace=$calls
moments >"$work/down"
check "down gives everything back" equal "$before" "$(picture)"
end_daemon
on wigeon state delete daemon_state >/dev/null

deaths=0
# clean_after WHERE, restart_after WHERE: the two ways out.
clean_after() {
  on wigeon state clean --all >"$work/out" 2>&1 || { cat "$work/out"; failed "$1: state clean"; }
  equal "$before" "$(picture)" || failed "$1: the host is as before"
  [ "$(on wigeon state list --json)" = '{"states":[]}' ] || failed "$1: something is still stored"
  ! pgrep -x wireguard-go --ns "${host_pid[alpha]}" --nslist pid >/dev/null || failed "$1: wireguard-go is left"
}
is_down() { on wigeon status --json | jq -e '.daemonStatus == "Idle"'; }
restart_after() {
  daemon_start alpha
  if on grep -qs false /var/lib/wigeon/state.json; then
    wait_for 10 is_down || failed "$1: a restart is down again"
    equal "$before" "$(picture)" || failed "$1: a restart finishes going down"
    end_daemon
  else
    on wigeon up --wait --timeout 20 >"$work/out" 2>&1 || { cat "$work/out"; failed "$1: up"; }
    wait_for 5 as_wanted || failed "$1: a restart makes it as wanted"
    on wigeon down >/dev/null
    end_daemon
    equal "$before" "$(picture)" || failed "$1: down afterwards"
  fi
  on wigeon state delete daemon_state >/dev/null
}
as_wanted() { equal "$full" "$(wanted)"; }

while read -r call n; do
  for way in clean restart; do
    # shellcheck disable=SC2046  # words
    up_traced $(kill_at "$call" "$n")
    died || { end_daemon; on wigeon state clean -a >/dev/null; continue; } # this run was shorter
    wait_for 5 no_resolver
    deaths=$((deaths + 1))
    ${way}_after "up, dead before $call $n"
  done
  passed "up, dead before $call $n"
done <"$work/up"

while read -r call n; do
  for way in clean restart; do
    daemon_start alpha
    on wigeon up --wait --timeout 20 >/dev/null
    # shellcheck disable=SC2046  # words
    down_traced $(kill_at "$call" "$n")
    died || { end_daemon; on wigeon state delete daemon_state >/dev/null; continue; }
    wait_for 5 no_resolver
    deaths=$((deaths + 1))
    ${way}_after "down, dead before $call $n"
    [ "$way" = restart ] || on wigeon state delete daemon_state >/dev/null
  done
  passed "down, dead before $call $n"
done <"$work/down"

check "it really died ($deaths times)" test "$deaths" -ge "$(cat "$work/up" "$work/down" | wc -l)"
