# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Rules and routes on a host as Tailscale and wg-quick make them. Source it after lib.sh, where
# `on` runs a command on that host.

# tailscale_rules DEVICE: makes it as well.
tailscale_rules() {
  local family
  on ip link add "$1" type dummy 2>/dev/null || on ip link add "$1" type bridge
  on ip link set "$1" up
  on ip address add 100.101.102.103/32 dev "$1"
  for family in -4 -6; do
    on ip $family rule add pref 5210 fwmark 0x80000/0xff0000 lookup main
    on ip $family rule add pref 5230 fwmark 0x80000/0xff0000 lookup default
    on ip $family rule add pref 5250 fwmark 0x80000/0xff0000 type unreachable
    on ip $family rule add pref 5270 lookup 52
  done
  on ip route add 100.100.100.100/32 dev "$1" table 52
  on ip route add throw 127.0.0.0/8 table 52
  on ip -6 route add fd7a:115c:a1e0::/48 dev "$1" table 52
}

# wg_quick_rules DEVICE: with a network in its table, which has no default route here.
wg_quick_rules() {
  local family
  for family in -4 -6; do
    on ip $family rule add not fwmark 51821 table 51821
    on ip $family rule add table main suppress_prefixlength 0
  done
  on ip route add 10.200.0.0/16 dev "$1" table 51821
}
