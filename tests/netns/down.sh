#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
#   ┌─ alpha ────────────────────────────┐                   ┌─ beta ─┐
#   │ Tailscale's and wg-quick's rules,  │ eth0 ─────── eth0 │        │
#   │ Docker's nft tables                │                   └────────┘
#   └────────────────────────────────────┘
#
# `wigeon down` leaves the host as it was before `up`, byte for byte, whoever else has rules, tables
# and routes there. After a crash `wigeon state clean` does the same without a daemon.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/snapshot.sh
. "$(dirname "$0")/snapshot.sh"
# shellcheck source=tests/netns/foreign.sh
. "$(dirname "$0")/foreign.sh"
for tool in jq wg nft tc ss python3; do command -v $tool >/dev/null || skip "needs $tool"; done

hosts_with_maps
on() { host_run alpha "$@"; }

# Both families, networks behind beta, and the full tunnel with its rules.
jq '.remotePeers[0].allowedIps += ["10.77.0.0/16", "10.78.1.0/24", "fd00:77::/48", "0.0.0.0/0", "::/0"]
  | .Routes = [
      {ID: "r1", NetID: "lan", Network: "10.79.0.0/16", NetworkType: "1", Metric: "9999",
       Peer: .remotePeers[0].wgPubKey, Masquerade: false},
      {ID: "r2", NetID: "lan6", Network: "fd00:79::/48", NetworkType: "2", Metric: "9999",
       Peer: .remotePeers[0].wgPubKey, Masquerade: false}]' \
  "$work/maps/alpha.json" >"$work/routes.json"

# What others have on the host.
docker_tables() {
  on nft -f - <<'NFT'
table ip nat {
  chain DOCKER {
    iifname "docker0" counter return
    iifname != "docker0" tcp dport 8080 counter dnat to 172.17.0.2:80
  }
  chain PREROUTING {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local counter jump DOCKER
  }
  chain POSTROUTING {
    type nat hook postrouting priority srcnat; policy accept;
    oifname != "docker0" ip saddr 172.17.0.0/16 counter masquerade
  }
}
table ip filter {
  chain DOCKER-USER { counter return; }
  chain FORWARD {
    type filter hook forward priority filter; policy drop;
    counter jump DOCKER-USER
    oifname "docker0" ct state related,established counter accept
    iifname "docker0" oifname != "docker0" counter accept
  }
}
NFT
}

before='' during=''
picture() {
  wait_for 10 host_settled alpha
  host_snapshot alpha
}
is_up() { check "$1: up" on wigeon up --wait --timeout 20; }
as_before() { # SENTENCE
  check "$1" equal "$before" "$(picture)"
  check_not "$1: no process of the tunnel is left" pgrep -x wireguard-go --ns "${host_pid[alpha]}" --nslist pid
  # shellcheck disable=SC2016  # expanded by that shell
  check "$1: no socket of it either" on sh -c '[ -z "$(ls /run/wireguard)" ]'
  check "$1: nothing is stored" equal "$(on wigeon state list)" "$(printf '\nStored states:\n')"
}
# The journal, which down and clean leave empty, may not be what hides a difference.
three_ways() { # WHERE
  before=$(picture)
  check "$1: two looks at an untouched host are equal" equal "$before" "$(picture)"

  daemon_start alpha
  is_up "$1"
  during=$(picture)
  check_not "$1: up is a difference" equal "$before" "$during"
  check "$1: state list" on wigeon state list
  check_said "$1: it names the link" "- link_state"
  check_exit 1 "$1: state clean while connected" on wigeon state clean --all
  check_said "$1: is refused as NetBird does" \
    "cannot clean state while connecting or connected, run 'wigeon down' first."
  check_exit 1 "$1: state delete while connected" on wigeon state delete link_state
  check_said "$1: is refused too" "cannot delete state while connecting or connected"
  check "$1: and changes nothing" equal "$during" "$(picture)"
  check "$1: down" on wigeon down
  as_before "$1: down leaves the host as before"
  check "$1: state clean beside a daemon that is down" on wigeon state clean --all
  check "$1: up once more" on wigeon up --wait --timeout 20
  check "$1: and down once more" on wigeon down
  as_before "$1: down leaves the host as before again"
  check "$1: up for a crash" on wigeon up --wait --timeout 20

  local signal signals=KILL
  ! full || signals+=" TERM"
  for signal in $signals; do
    daemon_kill alpha "$signal"
    wait_for 5 resolver_gone
    check_not "$1: after SIG$signal the tunnel is still there" equal "$before" "$(picture)"
    check "$1: state clean after SIG$signal" on wigeon state clean --all
    check_said "$1: says how many" "Successfully cleaned "
    as_before "$1: state clean after SIG$signal leaves the host as before"
    check "$1: state clean with nothing left" on wigeon state clean --all
    check_said "$1: says so" "No states were cleaned"
    daemon_start alpha
    is_up "$1: after a repair"
  done
  check "$1: down at last" on wigeon down
  as_before "$1: down at last leaves the host as before"
  daemon_kill alpha TERM
  on wigeon state delete daemon_state >/dev/null
}
resolver_gone() { ! pgrep -x wigeon-resolver --ns "${host_pid[alpha]}" --nslist pid; }

check "no state on a new host" on wigeon state clean --all
check_said "is no error" "No states were cleaned"
check_exit 10 "an unknown state" on wigeon state clean no_such_state
check_said "is named" 'there is no state "no_such_state"'
check_exit 2 "a name and --all" on wigeon state clean -a link_state
check_exit 2 "delete without a name" on wigeon state delete
check_exit 4 "clean without privilege" on setpriv --reuid=65534 --regid=65534 --clear-groups wigeon state clean -a
check_said "says which" "CAP_NET_ADMIN"
check_exit 4 "list without permission" on setpriv --reuid=65534 --regid=65534 --clear-groups wigeon state list

! full || three_ways "a bare host"
put_map alpha "$work/routes.json"
on sh -c 'echo "{\"dns\":{\"redirect\":\"bind\"},\"routing\":{\"allowDefaultRoute\":true}}" >/etc/wigeon/config.json'
tailscale_rules tailscale0
wg_quick_rules tailscale0
docker_tables
three_ways "a host with neighbours"
for part in 'default dev wt0 table 7120' '10.77.0.0/16 dev wt0' 'fd00:77::/48 dev wt0' 'lookup 7120' 'lookup 52'; do
  check "what was compared held \"$part\"" grep -q "$part" <<<"$during"
done

full || exit 0

# What cannot be undone is named, and not forgotten.
on ip link add lan0 type veth peer name lan1
on ip link set lan0 up
on ip address add 10.90.0.1/24 dev lan0
jq --arg own "$(cat "$work/keys/alpha.pub")" '.Routes += [
    {ID: "r3", NetID: "own", Network: "10.90.0.0/24", NetworkType: "1", Peer: $own, Metric: "9999",
     Masquerade: true}]' "$work/routes.json" >"$work/serving.json"
put_map alpha "$work/serving.json"
before=$(picture)
daemon_start alpha
is_up "a refused undo"
setting=/proc/sys/net/ipv4/conf/lan0/forwarding
check "a refused undo: the host forwards for lan0" on grep -qx 1 $setting
on mount --bind $setting $setting
on mount -o remount,bind,ro $setting
for _ in first second; do
  check_exit 6 "a refused undo: down says that it is not done" on wigeon down
  check_said "a refused undo: what is left" "left on this host and to be tried again: sysctl"
  check_said "a refused undo: and why" "net/ipv4/conf/lan0/forwarding: Read-only file system"
done
check "a refused undo: the rest is gone" on sh -c '! ip link show wt0 && ! nft list table inet wigeon'
check "a refused undo: status has it" status_is alpha '[.degraded[].reason
  | select(startswith("left on this host: sysctl") and contains("lan0"))] | length == 1'
check "a refused undo: and is not connected" status_is alpha '.daemonStatus == "Idle"'
on umount $setting
check "a refused undo: down once it can be undone" on wigeon down
check_said "a refused undo: says so" "Disconnected"
as_before "a refused undo: in the end the host is as before"
check "a refused undo: nothing is degraded then" status_is alpha '.degraded == []'
daemon_kill alpha TERM
on wigeon state delete daemon_state >/dev/null
put_map alpha "$work/routes.json"

# By name, and what a crash may have left of the record.
before=$(picture)
daemon_start alpha
is_up "by name"
daemon_kill alpha KILL
wait_for 5 resolver_gone
on wigeon state list --json >"$work/list.json"
check "state list --json is what jq expects" jq -e \
  '[.states[].name] | index("link_state") != null' "$work/list.json"
for name in $(jq -r '.states[].name' "$work/list.json"); do
  check "state clean $name" on wigeon state clean "$name"
  check_said "names it" "Successfully cleaned state \"$name\""
done
as_before "state by state is as good as all"

daemon_start alpha
is_up "a link that is gone"
daemon_kill alpha KILL
wait_for 5 resolver_gone
on ip link del wt0
check "state clean when the link is gone" on wigeon state clean
as_before "it is no obstacle"

redirects=$(on sysctl -n net.ipv4.conf.all.send_redirects)
daemon_start alpha
is_up "an unreadable journal"
daemon_kill alpha KILL
wait_for 5 resolver_gone
on sh -c 'echo garbage >/var/lib/wigeon/journal'
check_exit 1 "state list with an unreadable journal" on wigeon state list
check_said "says where and what to do" "line 1 is not a journal line"
check "state clean with an unreadable journal" on wigeon state clean
check_said "says what it did" "kept as /var/lib/wigeon/journal.corrupt"
# What the kernel's WireGuard changed, and what it was before, stood in the journal only.
on sysctl -qw "net.ipv4.conf.all.send_redirects=$redirects"
as_before "the kernel knows what is ours"

on sh -c ': >/var/lib/wigeon/journal'
check "state clean with an empty journal" on wigeon state clean
check_said "has nothing to do" "No states were cleaned"

daemon_start alpha
is_up "forgotten"
daemon_kill alpha KILL
wait_for 5 resolver_gone
during=$(picture)
check "state delete" on wigeon state delete link_state
check_said "says so" 'Successfully deleted state "link_state"'
check "and leaves the host alone" equal "$during" "$(picture)"
