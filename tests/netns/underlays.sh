#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Uplinks of every sort: an interface with a dot in its name, a VLAN, a bridge, a VRF, a host whose
# IPv6 is off, and a default route that moves to another uplink while connected. The drawing is in
# internet.sh; pod uses exit as its exit node. What this kernel has no device for is named in a
# line that begins "skipped part".
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/internet.sh
. "$(dirname "$0")/internet.sh"
for tool in jq wg nft python3; do command -v $tool >/dev/null || skip "needs $tool"; done

# shellcheck disable=SC2016  # expanded by that shell
has_kind() {
  unshare -n sh -c 'ip link add probe0 type dummy 2>/dev/null || ip link add probe0 type veth
    ip link add link probe0 name probe1 type "$@"' _ "$@" 2>/dev/null
}
part_needs() { # KIND…
  has_kind "$@" && return
  echo "skipped part: this kernel has no device of kind $1"
  return 1
}

# begin NAME: everything anew.
begin() {
  echo "# $1"
  [ -z "${part:-}" ] || hosts_remove_all
  part=$1
  daemon_pid=()
  map_serial=0
  rm -rf "$work/keys"
  mkdir -p "$work"
  internet_make
  settings_put exit '{}'
  settings_put pod '{"allowDefaultRoute": true}'
}

up_and_through() {
  maps_put v6
  for host in pod exit; do daemon_start "$host"; done
  for host in exit pod; do check "$part: $host is up" host_run "$host" wigeon up --wait --timeout 20; done
  check "$part: a session" wait_for 20 host_run pod ping -c 1 -W 1 100.64.0.2
  check "$part: IPv4 goes through the tunnel" wait_for 10 seen_as 100.64.0.1 pod 203.0.113.2 8080
}
over_ipv6() { check "$part: IPv6 goes through the tunnel" wait_for 10 seen_as fd00:6400::1 pod 2001:db8:3::2 8080; }
inbound() { check "$part: inbound TCP is answered" seen_as 203.0.113.2 inet "${1:-198.51.100.2}" 8080; }

# eth0 goes below another device, which takes its addresses and default routes.
move_uplink() { # DEVICE [table N]
  local address device=$1
  shift
  host_run pod ip address flush dev eth0
  host_run pod ip link set "$device" up
  for address in 198.51.100.2/24 2001:db8:1::2/64; do address_add pod "$device" "$address"; done
  host_run pod ip route replace default via 198.51.100.1 dev "$device" "$@"
  host_run pod ip -6 route replace default via 2001:db8:1::1 dev "$device" "$@"
}

if full; then
  pod_if=eth0.100 begin "a name with a dot"
  answers pod
  host_run pod sysctl -qw net/ipv4/conf/eth0.100/rp_filter=1
  up_and_through
  over_ipv6
  inbound
fi

if full && part_needs bridge; then
  begin bridge
  answers pod
  host_run pod ip link add br0 type bridge
  host_run pod ip link set eth0 master br0
  move_uplink br0
  up_and_through
  over_ipv6
  inbound
fi

if part_needs vlan id 100; then
  begin VLAN
  answers pod
  host_run pod ip link add link eth0 name eth0.100 type vlan id 100
  host_run gw ip link add link to_pod1 name to_pod1.100 type vlan id 100
  host_run gw ip address flush dev to_pod1
  host_run gw ip link set to_pod1.100 up
  for address in 198.51.100.1/24 2001:db8:1::1/64; do address_add gw to_pod1.100 "$address"; done
  move_uplink eth0.100
  up_and_through
  over_ipv6
  inbound
fi

# The administrator's part: a way into the VRF, and sockets that may hear what comes from it.
if part_needs vrf table 10; then
  begin VRF
  host_run pod ip link add blue type vrf table 10
  host_run pod ip link set blue up
  host_run pod ip link set eth0 master blue
  move_uplink eth0 table 10
  host_run pod ip route replace default dev blue
  host_run pod ip -6 route replace default dev blue
  host_run pod sysctl -qw net.ipv4.udp_l3mdev_accept=1 net.ipv4.tcp_l3mdev_accept=1
  up_and_through
  over_ipv6
  check "$part: what is bound to the VRF goes its way" host_run pod ping -c 1 -W 5 -I blue 203.0.113.2
  check "$part: past the tunnel" test "$(uplink_count inet4)" -gt 0
fi

full || exit 0

begin "IPv6 off"
host_run pod sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
up_and_through
check "$part: status has no complaint" status_is pod '.daemonStatus == "Connected"'
check_not "$part: and wt0 no IPv6" host_run pod sh -c 'ip -6 address show dev wt0 | grep -q inet6'

begin "two uplinks"
wire pod eth1 198.51.101.2/24,2001:db8:5::2/64 gw to_pod5 198.51.101.1/24,2001:db8:5::1/64
answers pod
host_run pod sysctl -qw net.ipv4.conf.all.rp_filter=1
up_and_through
over_ipv6
endpoint() { host_run exit wg show wt0 endpoints | cut -f2; }
check "$part: exit sees the first" equal "$(endpoint)" 198.51.100.2:51820
host_run pod ip route replace default via 198.51.101.1
host_run pod ip -6 route replace default via 2001:db8:5::1
host_run pod ip link set eth0 down
check "$part: traffic goes on over the second" wait_for 20 host_run pod ping -c 1 -W 1 100.64.0.2
check "$part: and through the tunnel" wait_for 10 seen_as 100.64.0.1 pod 203.0.113.2 8080
check "$part: exit sees that one now" equal "$(endpoint)" 198.51.101.2:51820
inbound 198.51.101.2
host_run pod ip address del 198.51.101.2/24 dev eth1
host_run pod ip address add 198.51.101.7/24 dev eth1
host_run pod ip route replace default via 198.51.101.1
has_rule() { host_run pod ip rule show | grep -q "from $1 lookup main"; }
check "$part: another address, another rule" wait_for 10 has_rule 198.51.101.7
check_not "$part: and none for the one that went" has_rule 198.51.101.2
check "$part: traffic goes on, with strict rp_filter" wait_for 20 host_run pod ping -c 1 -W 1 100.64.0.2
inbound 198.51.101.7
