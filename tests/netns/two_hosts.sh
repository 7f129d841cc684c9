#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
#   ┌─ alpha ──────────────┐   192.0.2.0/24    ┌─ beta ───────────────┐
#   │ wigeond, resolver    │ eth0 ─────── eth0 │ wigeond, resolver    │
#   │ wt0 100.64.0.1/16    │ ══ WireGuard ═══  │ wt0 100.64.0.2/16    │
#   └──────────────────────┘                   └──────────────────────┘
#
# The main job: two hosts obey one network map.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
for tool in jq dig wg; do command -v $tool >/dev/null || skip "needs $tool"; done

hosts_with_maps
both_up
for host in alpha beta; do
  address=$(host_run "$host" wigeon status --ipv4)
  host_run "$host" sh -c "echo nameserver ${address%%/*} > /etc/resolv.conf"
done

check "alpha pings beta by name" host_run alpha ping -c 3 -i 0.2 -W 5 beta.wigeon.example
check "beta pings alpha over IPv6 by name" host_run beta ping -6 -c 1 -W 5 alpha.wigeon.example

dig_short() { host_run "$1" dig +short +time=2 +tries=2 "${@:2}"; }
check "A over UDP" equal "$(dig_short alpha @100.64.0.1 beta.wigeon.example A)" 100.64.0.2
check "AAAA over TCP" equal "$(dig_short alpha +tcp @100.64.0.1 beta.wigeon.example AAAA)" fd00:6400::2
check "A over IPv6" equal "$(dig_short alpha @fd00:6400::1 db.corp.example A)" 100.64.0.2
check "PTR" grep -qx beta.wigeon.example. <(dig_short alpha @100.64.0.1 -x 100.64.0.2)
check "PTR of an IPv6 address" equal "$(dig_short alpha @100.64.0.1 -x fd00:6400::2)" beta.wigeon.example.
check "a CNAME brings its target" equal "$(dig_short alpha @100.64.0.1 www.corp.example A)" \
  "$(printf 'beta.wigeon.example.\n100.64.0.2')"
check "an unknown peer is NXDOMAIN" sh -c \
  "nsenter -t ${host_pid[alpha]} -n dig @100.64.0.1 gamma.wigeon.example | grep -q 'status: NXDOMAIN'"

# wg's own view against the map.
dump_of() { # HOST: "public-key endpoint allowed-ips keepalive" of each peer
  host_run "$1" wg show wt0 dump | tail -n +2 | cut -f1,3,4,8 | sort
}
map_of() {
  jq -r '.remotePeers[] | [.wgPubKey, .endpoint, (.allowedIps | join(",")), (.persistentKeepalive | tostring)] | @tsv' "$1" | sort
}
check "wg show wt0 dump agrees with the map" equal "$(dump_of alpha)" "$(map_of "$work/maps/alpha.json")"
check "the device has our port and mark" equal \
  "$(host_run alpha wg show wt0 dump | head -1 | cut -f3,4)" "$(printf '51820\t0x1bd00')"

check "status --json is what jq expects" status_is alpha '
  .daemonStatus == "Connected" and .peers.total == 1 and .peers.connected == 1 and
  .peers.details[0].fqdn == "beta.wigeon.example" and .netbirdIp == "100.64.0.1/16" and
  .fqdn == "alpha.wigeon.example" and .wireguardPort == 51820 and .management.connected and
  (.datapath.filtered | not) and .dns.redirect == "bind"'
check "status -d" host_run alpha wigeon status -d
check_said "it names the peer" " beta.wigeon.example:"
check_said "and its state" "  Status: Connected"
check_said "and says that wt0 is unfiltered" "unfiltered"
check_exit 0 "status --check ready" host_run alpha wigeon status --check ready
check_exit 0 "status --check startup" host_run alpha wigeon status --check startup

# Nothing to do is nothing done.
writes() { status_json alpha | jq .routing.operations; }
before=$(writes)
check "reload of the same map" host_run alpha sh -c 'touch /etc/wigeon/network_map.json; wigeon reload'
check "a map applied twice writes nothing" equal "$(writes)" "$before"

# The resolver is somebody else, with nothing in his hands.
resolver=$(pgrep -x wigeon-resolver --ns "${host_pid[alpha]}" --nslist pid | head -1)
check "the resolver has no capabilities" grep -q '^CapEff:.0000000000000000$' "/proc/$resolver/status"
check "and another uid" grep -Eq '^Uid:.[1-9]' "/proc/$resolver/status"
check "and no new privileges" grep -q '^NoNewPrivs:.1$' "/proc/$resolver/status"

# Its names follow the map.
wg genkey | wg pubkey >"$work/keys/gamma.pub"
jq '.hosts.gamma = {address: "100.64.0.3"}' "$root/scripts/examples/inventory.json" >"$work/inventory.json"
make_maps 2 "$work/inventory.json"
put_map alpha "$work/maps/alpha.json"
gamma_known() { [ "$(dig_short alpha @100.64.0.1 gamma.wigeon.example A)" = 100.64.0.3 ]; }
check "a new peer resolves" wait_for 5 gamma_known
check "and is in the device" wait_for 5 sh -c "nsenter -t ${host_pid[alpha]} -a wg show wt0 dump | grep -q 100.64.0.3/32"
make_maps 3
put_map alpha "$work/maps/alpha.json"
check "a removed one is gone" wait_for 5 sh -c \
  "nsenter -t ${host_pid[alpha]} -a dig @100.64.0.1 gamma.wigeon.example | grep -q 'status: NXDOMAIN'"

# Repair: what somebody takes away comes back.
host_run alpha ip address del 100.64.0.1/16 dev wt0
check "a removed address comes back" wait_for 5 host_run alpha sh -c 'ip -br address show wt0 | grep -q 100.64.0.1/16'
host_run alpha wg set wt0 peer "$(cat "$work/keys/beta.pub")" remove
host_run alpha ip link set wt0 down
check "a link set down comes up, with its peer" wait_for 5 host_run alpha sh -c 'ip link show wt0 | grep -q UP && wg show wt0 peers | grep -q .'
host_run alpha ip link del wt0
check "a deleted link comes back" wait_for 10 host_run alpha ping -c 1 -W 1 100.64.0.2

# SIGTERM: names go, the tunnel stays.
daemon_kill beta TERM
check "the tunnel outlives the daemon" host_run alpha ping -c 1 -W 2 100.64.0.2
check_exit 3 "status without a daemon" host_run beta wigeon status
daemon_start beta
check "a restarted daemon takes up its link" wait_for 10 status_is beta '.peers.connected == 1'

# down gives everything back.
check "down" host_run alpha wigeon down
check_not "wt0 is gone" host_run alpha ip link show wt0
check "status says so" status_is alpha '.daemonStatus == "Idle"'
check "up again" host_run alpha wigeon up --wait --timeout 15
check "and the peers meet again" host_run alpha ping -c 1 -W 5 beta.wigeon.example
