#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
#   alpha 192.0.2.1 ── eth0 ── beta 192.0.2.2, later 192.0.2.22; nobody is 192.0.2.9
#
# beta knows no endpoint of alpha, so that only alpha can begin. alpha finds beta at the second of
# its endpoints, and at the second address of a name; leaves out an endpoint inside the tunnel;
# keeps to where beta roamed when a new map comes; follows a name that leads elsewhere.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
for tool in jq wg; do command -v $tool >/dev/null || skip "needs $tool"; done

hosts_with_maps
jq 'del(.remotePeers[0].endpoint, .remotePeers[0].persistentKeepalive)' \
  "$work/maps/beta.json" >"$work/beta.json"
put_map beta "$work/beta.json"

serial=1
# alpha_map JQ-EXPRESSION: alpha's map with its peer changed by it.
alpha_map() {
  serial=$((serial + 1))
  jq --arg serial $serial ".Serial = \$serial | .remotePeers[0] |= (del(.endpoint) | $1)" \
    "$work/maps/alpha.json" >"$work/alpha.json"
  put_map alpha "$work/alpha.json"
}
in_force() { status_is alpha ".map.serial == $serial"; }
ping_beta() { host_run alpha ping -c 1 -W 1 100.64.0.2; }
endpoint() { host_run alpha wg show wt0 endpoints | cut -f2; }
endpoint_is() { equal "$1" "$(endpoint)"; }
handshake() { host_run alpha wg show wt0 latest-handshakes | cut -f2; }
# The session is gone with the link.
begin_again() {
  host_run alpha wigeon down >/dev/null
  host_run alpha wigeon up --wait --timeout 15 >/dev/null
}
beta_gw() { # ADDRESS…
  # shellcheck disable=SC2016  # expanded there
  host_run alpha sh -c 'sed /beta-gw/d /etc/hosts > /etc/hosts.new
    for a; do echo "$a beta-gw"; done >> /etc/hosts.new
    cat /etc/hosts.new > /etc/hosts' _ "$@"
}

alpha_map '.endpoints = ["100.64.0.2:51820", "192.0.2.2:51820"]'
both_up
check "beside an endpoint inside the tunnel the other one is used" wait_for 20 ping_beta
check "which is the device's" endpoint_is 192.0.2.2:51820
check "and status says why the first is not" status_is alpha \
  '[.routing.refused[].reason | select(test("endpoint 100.64.0.2 is inside the tunnel"))] | length == 1'

host_run beta ip address del 192.0.2.2/24 dev eth0
host_run beta ip address add 192.0.2.22/24 dev eth0
check "beta speaks from another address" wait_for 20 host_run beta ping -c 1 -W 1 100.64.0.1
check "where alpha has it now" endpoint_is 192.0.2.22:51820
before=$(handshake)
alpha_map '.endpoints = ["100.64.0.2:51820", "192.0.2.2:51820"] | .groups = ["new"]'
check "a new map comes that does not touch beta's endpoints" wait_for 10 in_force
check "and leaves beta where it is" endpoint_is 192.0.2.22:51820
alpha_map '.endpoints = ["100.64.0.2:51820", "192.0.2.2:51820", "192.0.2.9:51820"]'
check "a new map offers one more endpoint" wait_for 10 in_force
check "and leaves beta where it is" endpoint_is 192.0.2.22:51820
check "in its session" equal "$before" "$(handshake)"
check "that works" ping_beta

alpha_map '.endpoints = ["192.0.2.22:51820"]'
check "a new map offers where beta is" wait_for 10 in_force
alpha_map '.endpoints = ["192.0.2.9:51820"]'
check "an endpoint that the map withdraws is left, session or not" \
  wait_for 10 endpoint_is 192.0.2.9:51820

alpha_map '.endpoints = ["192.0.2.9:51820", "192.0.2.22:51820"]'
check "a new map offers two endpoints" wait_for 10 in_force
begin_again
check "a peer behind the second endpoint is found" wait_for 40 ping_beta
check "and stays there" endpoint_is 192.0.2.22:51820

beta_gw 192.0.2.9 192.0.2.22
alpha_map '.endpoints = ["beta-gw:51820"]'
check "a new map offers a name" wait_for 10 in_force
begin_again
check "a peer behind the name's second address is found" wait_for 60 ping_beta
check "and stays there" endpoint_is 192.0.2.22:51820

beta_gw 192.0.2.9
begin_again
check "a name leads nowhere" wait_for 30 endpoint_is 192.0.2.9:51820
check_not "so there is no session" ping_beta
beta_gw 192.0.2.22
check "the name leads to beta, and alpha follows" wait_for 60 ping_beta
check "to that address" endpoint_is 192.0.2.22:51820
