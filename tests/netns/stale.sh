#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
#   alpha ── knows beta by the name of its endpoint ──▶ beta-gw, an entry of alpha's /etc/hosts
#   beta  ── knows no endpoint of alpha: only alpha can begin
#
# Time passes: a session is renewed and stays "Connected"; when beta is gone for longer than a
# session lives, alpha says so; when beta comes back at another address, alpha finds it by asking
# for the name again. Made for a machine with virtual time.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
for tool in jq wg; do command -v $tool >/dev/null || skip "needs $tool"; done

hosts_with_maps
host_run alpha sh -c 'echo 192.0.2.2 beta-gw >> /etc/hosts'
psk=$(wg genpsk)
jq --arg psk "$psk" '.remotePeers[0] += {endpoint: "beta-gw:51820", presharedKey: $psk}' \
  "$work/maps/alpha.json" >"$work/alpha.json"
jq --arg psk "$psk" '.remotePeers[0] += {presharedKey: $psk} | del(.remotePeers[0].endpoint, .remotePeers[0].persistentKeepalive)' \
  "$work/maps/beta.json" >"$work/beta.json"
for host in alpha beta; do put_map "$host" "$work/$host.json"; done
both_up
check "a host name as endpoint and a preshared key make a session" \
  wait_for 20 host_run alpha ping -c 1 -W 1 100.64.0.2
check "the endpoint is where the name leads" equal 192.0.2.2:51820 \
  "$(host_run alpha wg show wt0 endpoints | cut -f2)"

handshake() { host_run alpha wg show wt0 latest-handshakes | cut -f2; }
first=$(handshake)
sleep 150
check "the session was renewed" test "$(handshake)" -gt "$first"
check "and is Connected" status_is alpha '.peers.connected == 1'

check "beta goes" host_run beta wigeon down
sleep 200
check "after a session's life alpha says that it is not connected" status_is alpha \
  '.peers.connected == 0 and .peers.details[0].status == "Connecting"'

host_run beta ip address del 192.0.2.2/24 dev eth0
host_run beta ip address add 192.0.2.22/24 dev eth0
host_run alpha sh -c 'grep -v beta-gw /etc/hosts > /etc/hosts.new; echo 192.0.2.22 beta-gw >> /etc/hosts.new; cat /etc/hosts.new > /etc/hosts'
check "beta is back, elsewhere" host_run beta wigeon up --wait --timeout 30
check "alpha finds it by its name" wait_for 90 host_run alpha ping -c 1 -W 1 100.64.0.2
check "and has the new endpoint" equal 192.0.2.22:51820 \
  "$(host_run alpha wg show wt0 endpoints | cut -f2)"
