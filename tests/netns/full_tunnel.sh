#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Exit node: what goes through the tunnel, what does not, and that nothing gets out when the tunnel
# is gone. The drawing is in internet.sh; R1 to R12 are the cases every full tunnel has to answer.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/internet.sh
. "$(dirname "$0")/internet.sh"
for tool in jq wg wg-quick nft python3; do command -v $tool >/dev/null || skip "needs $tool"; done

internet_make
answers pod
settings_put exit '{}'
settings_put pod '{"allowDefaultRoute": true}'
maps_put v6

# What a host is made of, as far as routing is concerned; wt0's own settings go with it. The kernel's
# WireGuard itself (wg_open) turns conf/all/send_redirects off when a link of it comes up.
# shellcheck disable=SC2016  # expanded by perl
sysctls() {
  host_run pod sh -c 'cd /proc/sys && find net -type f -readable ! -path "*/conf/wt0/*" ! -path "*/neigh/wt0/*" |
    grep -v "conf/all/send_redirects\|nf_conntrack_count\|/random/\|gc_" | sort | xargs perl -ne "print \"\$ARGV:\$_\"" 2>/dev/null' || true
}
routing() {
  # shellcheck disable=SC2016  # expanded by that shell
  host_run pod sh -c 'for f in -4 -6; do ip $f rule; ip $f route show table all | grep -v "^broadcast\|cache" | sed "s/expires [0-9]*sec//"; done; ip -br link'
}
# The kernel checks its link-local address for doubles first, and routes it only then.
settled() { host_run pod ip -6 address show dev eth0 scope link -tentative | grep -q fe80; }
wait_for 10 settled
sysctls >"$work/sysctls"
routing >"$work/routing"

for host in pod exit; do daemon_start "$host"; done
for host in exit pod; do check "$host is up" host_run "$host" wigeon up --wait --timeout 20; done
check "pod and exit meet" wait_for 20 host_run pod ping -c 1 -W 1 100.64.0.2
sed -i '/wt0/d' "$work/routing"

mark=113920 # 0x1bd00
leaks() { printf '%s %s %s' "$(uplink_count inet4)" "$(uplink_count inet6)" "$(uplink_count overlay)"; }
unreachable() { # HOST ADDRESS
  local said
  said=$(host_run "$1" ping -c 1 -W 1 "$2" 2>&1) && return 1
  [[ $said == *"No route to host"* || $said == *"nreachable"* ]]
}

# A server that answers UDP from the address it was asked at, on port 8081.
answers_from() { host_start "$1" "$logs/answers-from-$1.log" python3 -c '
import socket
s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
s.bind(("::", 8081))
while True:
    data, info, flags, peer = s.recvmsg(2048, 256)
    asked = info[0][2][:16] + bytes(4)
    s.sendmsg([peer[0].removeprefix("::ffff:").encode() + b"\n"], [(socket.IPPROTO_IPV6, socket.IPV6_PKTINFO, asked)], 0, peer)'; }
# A TCP connection of pod from a port and its address on the wire, over IPv6.
connects_not() { host_run pod python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET6); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.bind(("2001:db8:1::2", int(sys.argv[1]))); s.settimeout(1)
try: s.connect(("2001:db8:3::2", 8080))
except OSError: raise SystemExit(0)
raise SystemExit("connected")' "$1"; }
# Datagrams to inet, from ports on which inet has asked pod.
answers_in_clear() { host_run gw nft -j list counter inet watch udp_answers | jq '.nftables[] | .counter? | select(.) | .packets'; }

check "R1 an ordinary connection goes through the tunnel" seen_as 100.64.0.1 pod 203.0.113.2 8080
check "R1 over IPv6 too" seen_as fd00:6400::1 pod 2001:db8:3::2 8080
check "R1 and over UDP" seen_as 100.64.0.1 pod 203.0.113.2 8080 udp
check "R1 nothing of that in clear" equal "$(leaks)" "0 0 0"

for filter in 0 2 1; do
  for valid_mark in 0 1; do
    host_run pod sysctl -qw net.ipv4.conf.all.rp_filter=$filter net.ipv4.conf.eth0.rp_filter=$filter \
      net.ipv4.conf.all.src_valid_mark=$valid_mark
    case $filter$valid_mark in
      10) id=R3,R4 ;;
      11) id=R5 ;;
      *) id=R2 ;;
    esac
    check "$id marked packets are answered, rp_filter $filter, src_valid_mark $valid_mark" \
      host_run pod ping -m $mark -c 1 -W 2 203.0.113.2
    check "$id and so is WireGuard" host_run pod ping -c 1 -W 2 100.64.0.2
  done
done
host_run pod sysctl -qw net.ipv4.conf.all.src_valid_mark=0
own_rule() { host_run pod ip rule show | grep -q 'from 198.51.100.2 lookup main'; }
# The daemon stands still, so that a rule can be taken away. nsenter, whose child it is, stops with it.
kill -STOP "${daemon_pid[pod]}"
host_run pod ip rule del from 198.51.100.2 lookup main
check_not "R3 which is the work of the rule for the own address" host_run pod ping -m $mark -c 1 -W 1 203.0.113.2
kill -CONT "${daemon_pid[pod]}" "$(ps -o ppid= -p "${daemon_pid[pod]}" | tr -d ' ')"
check "R3 that comes back by itself" wait_for 10 own_rule
host_run pod sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0

check "R6 a service behind the gateway is reached through the tunnel" seen_as 100.64.0.1 pod 10.20.0.2 8080
settings_put pod '{"allowDefaultRoute": true, "exclude": ["10.20.0.0/24", "2001:db8:2::/64"]}'
check "R7 settings are read again" host_run pod wigeon reload
check "R7,R8 an excluded one past it" wait_for 10 seen_as 198.51.100.2 pod 10.20.0.2 8080
check "R8 over IPv6 too" seen_as 2001:db8:1::2 pod 2001:db8:2::2 8080
check "R8 the rest still goes through it" seen_as 100.64.0.1 pod 203.0.113.2 8080
check "the neighbour on the own network is reached" host_run pod ping -c 1 -W 2 198.51.100.1
check "the host's upstream DNS server is asked past the tunnel" seen_as 198.51.100.2 pod 203.0.113.53 8080

check "R9 an inbound connection to the own address is answered" seen_as 203.0.113.2 inet 198.51.100.2 8080
check "R9 over IPv6 on a privileged port" seen_as 2001:db8:3::2 inet 2001:db8:1::2 80
check "R9 over IPv6 on any other port" seen_as 2001:db8:3::2 inet 2001:db8:1::2 8080
check "R9 an inbound IPv6 ping too" host_run inet ping -c 1 -W 2 2001:db8:1::2
check "R9 an inbound ping too" host_run inet ping -c 1 -W 2 198.51.100.2
check "R9 and one through the tunnel" seen_as 100.64.0.2 exit 100.64.0.1 8080
check "R10 UDP to a wildcard socket is not answered: its answer goes through the tunnel" seen_as "" inet 198.51.100.2 8080 udp
check "R10 over IPv6 neither" seen_as "" inet 2001:db8:1::2 8080 udp
# What asks them from elsewhere is no reason to send what this host begins, in clear.
check "R10 what the sockets send is no answer to anybody: nothing in clear" equal "$(answers_in_clear)" "0"
answers_from pod
check "R10 UDP to a socket that answers from the asked address is" wait_for 20 seen_as 203.0.113.2 inet 198.51.100.2 8081 udp
check "R10 over IPv6 too" wait_for 20 seen_as 2001:db8:3::2 inet 2001:db8:1::2 8081 udp
host_run pod ip address add 198.51.100.3/24 dev eth0
check "a new address has its rule" wait_for 10 sh -c "nsenter -t ${host_pid[pod]} -a ip rule show | grep -q 'from 198.51.100.3 '"
answers pod 198.51.100.3
check "R10 UDP to a socket of that address is" wait_for 20 seen_as 203.0.113.2 inet 198.51.100.3 8080 udp
host_run pod ip address del 198.51.100.3/24 dev eth0
check "an address that went has none" wait_for 10 sh -c "! nsenter -t ${host_pid[pod]} -a ip rule show | grep -q 'from 198.51.100.3 '"

# An endpoint inside a network of the map: only the mark keeps WireGuard's packets out of it.
jq '.remotePeers[0].allowedIps += ["192.0.2.0/24"]' "$work/pod.json" >"$work/around.json"
host_run pod sysctl -qw net.ipv4.conf.all.rp_filter=1
put_map pod "$work/around.json"
check "an endpoint inside the tunnel's networks" wait_for 10 sh -c "nsenter -t ${host_pid[pod]} -a ip route show table 7120 | grep -q 192.0.2.0/24"
host_run pod sh -c "wg set wt0 peer $(cat "$work/keys/exit.pub") remove; wigeon reload >/dev/null"
check "makes a session all the same, with strict rp_filter" wait_for 10 host_run pod ping -c 1 -W 1 100.64.0.2
check "and that network is reached inside" host_run pod ping -c 1 -W 2 192.0.2.2
put_map pod "$work/pod.json"
host_run pod sysctl -qw net.ipv4.conf.all.rp_filter=0
check "as before" wait_for 10 sh -c "! nsenter -t ${host_pid[pod]} -a ip route show table 7120 | grep -q 192.0.2.0/24"

# A family the overlay has not.
host_run gw nft reset counters table inet watch >/dev/null
maps_put
no_v6() { ! host_run pod ip -6 address show dev wt0 | grep -q fd00; }
check "without an IPv6 address in the overlay" wait_for 10 no_v6
check "R12 IPv6 is closed" wait_for 10 unreachable pod 2001:db8:3::2
check "R12 TCP over IPv6 too" seen_as "" pod 2001:db8:3::2 8080
check "R12 also from a socket bound to a port" host_run pod python3 -c '
import socket
s = socket.socket(socket.AF_INET6); s.bind(("::", 4001)); s.settimeout(1)
try: s.connect(("2001:db8:3::2", 8080))
except OSError: raise SystemExit(0)
raise SystemExit("connected")'
check "IPv4 is not" seen_as 100.64.0.1 pod 203.0.113.2 8080
check "R12 nothing got out in clear" equal "$(leaks)" "0 0 0"
check "R9 inbound IPv6 is answered still" seen_as 2001:db8:3::2 inet 2001:db8:1::2 80
check "R9 on any port" seen_as 2001:db8:3::2 inet 2001:db8:1::2 8080
host_run gw nft reset counters table inet watch >/dev/null
for port in 22 4001 40000; do
  check "R12 a socket bound to port $port and to the underlay's address gets nowhere" connects_not "$port"
done
check "R12 and nothing of that in clear either" equal "$(leaks)" "0 0 0"
maps_put v6
check "with one it is open again" wait_for 10 seen_as fd00:6400::1 pod 2001:db8:3::2 8080

# Another full tunnel beside ours, as wg-quick makes it: to service, which masquerades.
theirs() { host_run "$1" env WG_QUICK_USERSPACE_IMPLEMENTATION=wireguard-go wg-quick "${@:2}"; }
for host in pod service; do wg genkey >"$work/keys/theirs-$host"; done
host_run service sh -c "cat > /etc/wireguard/theirs.conf; sysctl -qw net.ipv4.ip_forward=1
  nft add table ip nat; nft 'add chain ip nat post { type nat hook postrouting priority 100; }'
  nft add rule ip nat post oifname eth0 ip saddr 10.9.0.0/24 masquerade" <<CONF
[Interface]
PrivateKey = $(cat "$work/keys/theirs-service")
Address = 10.9.0.1/24
ListenPort = 4444
Table = off
[Peer]
PublicKey = $(wg pubkey <"$work/keys/theirs-pod")
AllowedIPs = 10.9.0.2/32
CONF
host_run pod sh -c "mkdir -p /etc/wireguard; cat > /etc/wireguard/theirs.conf" <<CONF
[Interface]
PrivateKey = $(cat "$work/keys/theirs-pod")
Address = 10.9.0.2/24
[Peer]
PublicKey = $(wg pubkey <"$work/keys/theirs-service")
AllowedIPs = 0.0.0.0/0
Endpoint = 10.20.0.2:4444
PersistentKeepalive = 1
CONF
check "another full tunnel: its far end" theirs service up theirs
check "another full tunnel beside ours: wg-quick" theirs pod up theirs
round_ours() { host_run pod ip rule show | grep -q "fwmark 0xca6c lookup main"; }
check "what carries it goes round ours" wait_for 10 round_ours
check "it has a session" wait_for 10 host_run service sh -c 'wg show theirs latest-handshakes | grep -v "	0$"'
check "ours goes through it" wait_for 20 seen_as 100.64.0.1 pod 203.0.113.2 8080
for filter in 0 1; do
  host_run pod sysctl -qw net.ipv4.conf.all.rp_filter=$filter net.ipv4.conf.eth0.rp_filter=$filter
  host_run gw nft reset counters table inet watch >/dev/null
  check "both are up, rp_filter $filter: the Internet by ours" seen_as 100.64.0.1 pod 203.0.113.2 8080
  check "nothing in clear with both" equal "$(leaks)" "0 0 0"
  check "an inbound connection is answered, rp_filter $filter" seen_as 203.0.113.2 inet 198.51.100.2 8080
  check "over IPv6 too" seen_as 2001:db8:3::2 inet 2001:db8:1::2 8080
done
host_run pod sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.eth0.rp_filter=0
check "wg-quick down, which deletes our rule with its own" theirs pod down theirs
main_first() { host_run pod ip rule show | grep -q "^105:.*lookup main suppress_prefixlength 0"; }
check "the rule is back" wait_for 10 main_first
gone_round() { ! round_ours; }
check "the exception for its mark has gone with it" wait_for 10 gone_round
check "and ours goes by the uplink again" wait_for 20 seen_as 100.64.0.1 pod 203.0.113.2 8080

# The other order: theirs is there first, and its rules are where the kernel puts them then.
check "ours down" host_run pod wigeon down
check "theirs alone" theirs pod up theirs
host_run gw nft 'add counter inet watch bare; add rule inet watch from_pod ip daddr 192.0.2.2 udp dport 51820 counter name bare'
check "with ours" host_run pod wigeon up --wait --timeout 20
check "ours goes through it, whichever came first" wait_for 20 seen_as 100.64.0.1 pod 203.0.113.2 8080
check "and an inbound connection is answered" seen_as 203.0.113.2 inet 198.51.100.2 8080
check "what carries ours is carried by theirs" equal "$(uplink_count bare)" 0
check "theirs down" theirs pod down theirs
check "ours goes by the uplink again then too" wait_for 20 seen_as 100.64.0.1 pod 203.0.113.2 8080

# One that ours cannot go before.
host_run pod ip rule add not fwmark 0xca6c lookup 51820 pref 5
in_status() { status_is pod '[.degraded[].reason | select(test("no full tunnel: another one has it"))] | length == 1'; }
check "another one that is always first: status says so" wait_for 10 in_status
check "and ours is not there to carry what carries it" sh -c "! nsenter -t ${host_pid[pod]} -a ip rule show | grep -q 7120"
host_run pod ip rule del pref 5
check "without it ours is back" wait_for 10 seen_as 100.64.0.1 pod 203.0.113.2 8080
host_run pod sysctl -qw net.ipv4.conf.all.src_valid_mark=0
host_run gw nft reset counters table inet watch >/dev/null

daemon_kill pod TERM
check "the tunnel outlives the daemon" seen_as 100.64.0.1 pod 203.0.113.2 8080
host_run gw nft reset counters table inet watch >/dev/null
host_run pod ip link del wt0
for address in 203.0.113.2 2001:db8:3::2 100.64.0.2 fd00:6400::2; do
  check "R11,R12 without wt0 $address is unreachable" unreachable pod $address
done
check "R11,R12 for TCP as well" seen_as "" pod 203.0.113.2 8080
check "R11,R12 and for TCP over IPv6" seen_as "" pod 2001:db8:3::2 8080
check "R11,R12 nothing of it got out in clear" equal "$(leaks)" "0 0 0"
check "an excluded service is still reached" seen_as 198.51.100.2 pod 10.20.0.2 8080
check "and an inbound connection answered" seen_as 203.0.113.2 inet 198.51.100.2 8080
daemon_start pod
check "the next daemon opens it again" wait_for 15 seen_as 100.64.0.1 pod 203.0.113.2 8080
sysctls >"$work/sysctls.up"
check "no setting of the kernel was touched" diff "$work/sysctls" "$work/sysctls.up"

check "down" host_run pod wigeon down
sysctls >"$work/sysctls.down"
routing >"$work/routing.down"
check "down leaves rules, routes and links as they were" diff "$work/routing" "$work/routing.down"
check "and the kernel's settings" diff "$work/sysctls" "$work/sysctls.down"
check "the host has its way out again" seen_as 198.51.100.2 pod 203.0.113.2 8080
