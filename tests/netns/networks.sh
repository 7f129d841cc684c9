#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Networks behind routing peers, from both ends: who is chosen and when it changes, what a routing
# peer lets through, and which of it a user takes.
#
#            192.0.2.0/24                    10.30.0.0/24
#   client .1 ──┐         ┌── .2 r1 .1 ──┐
#               ├── hub ──┤              ├── hub ── .10 lan
#   world .9  ──┘         └── .3 r2 .2 ──┘
#                             r1 .1 ──── 10.40.0.0/24 ──── .10 lan
#
# world is everybody's gateway and has 203.0.113.10; IPv6 on the first LAN is fd00:30::/64. hub
# only bridges. lan sends what is for the overlay to r1, or where way_back leads.
# shellcheck disable=SC2016  # expanded by jq
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/internet.sh
. "$(dirname "$0")/internet.sh"
# shellcheck source=tests/netns/snapshot.sh
. "$(dirname "$0")/snapshot.sh"
for tool in jq wg nft tc ss python3 iptables-nft-restore; do
  command -v $tool >/dev/null || skip "needs $tool"
done

routers=(r1 r2)
overlay_hosts=(client "${routers[@]}")

# --- the wires

bridged() { # HOST IF BRIDGE ADDRESSES
  wire "$1" "$2" "$4" hub "$3_$1" ""
  host_run hub ip link set "$3_$1" master "$3"
}
lan_make() {
  local host
  hosts_init "$work"
  for host in hub world lan "${overlay_hosts[@]}"; do host_make "$host"; done
  # A host of namespaces begins with what this machine has.
  for host in world lan "${overlay_hosts[@]}"; do
    host_run "$host" sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0
  done
  for bridge in under lan; do
    host_run hub ip link add $bridge type bridge
    host_run hub ip link set $bridge up
  done
  bridged client eth0 under 192.0.2.1/24
  bridged r1 eth0 under 192.0.2.2/24
  bridged r2 eth0 under 192.0.2.3/24
  bridged world eth0 under 192.0.2.9/24
  bridged r1 eth1 lan 10.30.0.1/24,fd00:30::1/64
  bridged r2 eth1 lan 10.30.0.2/24,fd00:30::2/64
  bridged lan eth0 lan 10.30.0.10/24,fd00:30::10/64
  wire r1 eth2 10.40.0.1/24 lan eth1 10.40.0.10/24
  for host in "${overlay_hosts[@]}"; do host_run "$host" ip route add default via 192.0.2.9; done
  host_run world ip address add 203.0.113.10/32 dev lo
  way_back r1
  for host in lan world client; do answers "$host"; done
}
way_back() { # ROUTER
  local n=${1#r}
  host_run lan ip route replace 100.64.0.0/16 via "10.30.0.$n"
  host_run lan ip -6 route replace fd00:6400::/64 via "fd00:30::$n"
}

# --- keys, settings, maps

keys_make() {
  local host
  mkdir -p "$work/keys" "$work/maps"
  for host in "${overlay_hosts[@]}"; do
    settings_put "$host" '{}'
    host_run "$host" wigeond --print-public-key >"$work/keys/$host.pub"
  done
  jq '.hosts = {client: {address: "100.64.0.1", address_v6: "fd00:6400::1", endpoint: "192.0.2.1:51820"},
      r1: {address: "100.64.0.2", address_v6: "fd00:6400::2", endpoint: "192.0.2.2:51820"},
      r2: {address: "100.64.0.3", address_v6: "fd00:6400::3", endpoint: "192.0.2.3:51820"}}
      | .policies = [] | .zones = []' "$root/scripts/examples/inventory.json" >"$work/inventory.json"
  make_maps 1 "$work/inventory.json"
}
key() { cat "$work/keys/$1.pub"; }

# map_put HOST FILTER: the host's map with $r1 and $r2 for the routers' keys, and
# route(NETID; NETWORK; PEER; METRIC; MASQUERADE).
map_serial=1
map_put() {
  map_serial=$((map_serial + 1))
  jq --arg serial $map_serial --arg r1 "$(key r1)" --arg r2 "$(key r2)" '
    def route(id; network; peer; metric; masquerade):
      {ID: "\(id)-\(peer)", NetID: id, Network: network, Peer: peer, Metric: "\(metric)",
       NetworkType: (if network | contains(":") then "2" else "1" end), Masquerade: masquerade};
    .Serial = $serial | '"$2" "$work/maps/$1.json" >"$work/$1.json"
  put_map "$1" "$work/$1.json"
}
applied() { wait_for 15 status_is "$1" ".map.serial == $map_serial and .daemonStatus == \"Connected\""; }
# And it is in force when this returns.
map_apply() {
  map_put "$@"
  applied "$1"
}
settings_apply() { # HOST ROUTING-JSON
  settings_put "$@"
  host_run "$1" wigeon reload >/dev/null
}
# The route to the LAN in the maps of the routing peers.
served() { # MASQUERADE [FILTER]
  local r
  for r in "${routers[@]}"; do
    map_apply "$r" ".Routes = [route(\"lan\"; \"10.30.0.0/24\"; \$$r; 100; $1),
      route(\"lan6\"; \"fd00:30::/64\"; \$$r; 100; $1)]"
  done
}
# And in the client's, with the routers' metrics.
wanted() { # METRIC-OF-R1 METRIC-OF-R2 [FILTER]
  map_apply client ".Routes = [
    route(\"lan\"; \"10.30.0.0/24\"; \$r1; $1; true), route(\"lan\"; \"10.30.0.0/24\"; \$r2; $2; true),
    route(\"lan6\"; \"fd00:30::/64\"; \$r1; $1; true), route(\"lan6\"; \"fd00:30::/64\"; \$r2; $2; true)]
    ${3:+| $3}"
}

# --- looking

through() { # ROUTER [GROUP]
  status_is client ".routing.groups[] | select(.id == \"${2:-lan|10.30.0.0/24}\") | .peer == \"$1.wigeon.example\" and .connected"
}
allowed() { # ROUTER PREFIX
  host_run client wg show wt0 allowed-ips | grep "^$(key "$1")" | tr '\t' ' ' | tr ' ' '\n' | grep -xF "$2"
}
setting() { host_run "$1" sysctl -n "$2"; }
received() { status_json client | jq "[.peers.details[] | select(.fqdn == \"$1.wigeon.example\") | .transferReceived][0]"; }
operations() { status_json client | jq .routing.operations; }
answered() { host_run client ping -c 1 -W 1 10.30.0.10; }
refused() { # WHAT REASON
  status_is client ".routing.refused | any(.what == \"$1\" and (.reason | contains(\"$2\")))"
}
has_route() { [ -n "$(host_run client ip route show "$1" dev wt0)" ]; }

# --- what happens to a router

now_ms() { echo $(($(date +%s%N) / 1000000)); }
# Without the module a process carries the tunnel; with it the tunnel outlives the daemon.
router_dies() {
  local pid
  kill -KILL "${daemon_pid[$1]}"
  unset "daemon_pid[$1]"
  for pid in $(pgrep -x wireguard-go --ns "${host_pid[$1]}" --nslist pid); do kill -KILL "$pid"; done
  host_run "$1" ip link del wt0 2>/dev/null || true
}
# The line between hub and router: nothing on the router changes but its carrier.
router_cut() { host_run hub ip link set "under_$1" down; }
router_joined() { host_run hub ip link set "under_$1" up; }
# As long as somebody wants to reach the LAN.
resumes() { # FROM-MS SENTENCE
  check "$2" wait_for 90 answered
  echo "# after $(($(now_ms) - $1)) ms"
}
# The debug log of the move: the two peers, each with its allowed IPs, in one operation, whose lines
# come one behind the other.
one_move() { # FROM TO LOG-LINES
  tail -n "+$3" "$logs/client.log" >"$work/moved.log"
  local first
  first=$(grep -n "wg set wt0 peer .*10\.30\.0\.0/24" "$work/moved.log" | head -1 | cut -d: -f1)
  [ -n "$first" ] || { echo "no move is in the log"; cat "$work/moved.log"; return 1; }
  local around
  around=$(sed -n "$((first > 1 ? first - 1 : 1)),$((first + 1))p" "$work/moved.log")
  echo "$around"
  grep -q "peer $(key "$2") allowed-ips .*10\.30\.0\.0/24" <<<"$around" &&
    grep "peer $(key "$1") allowed-ips" <<<"$around" | grep -vq '10\.30\.0\.0/24' &&
    ! grep -q 'wg set wt0 peer' < <(tail -n "+$((first + 2))" "$work/moved.log")
}
log_length() { echo $(($(wc -l <"$logs/client.log") + 1)); }

lan_make
keys_make
for host in "${routers[@]}"; do
  wait_for 10 host_settled "$host"
  host_snapshot "$host" >"$work/before.$host"
done
for host in "${overlay_hosts[@]}"; do
  put_map "$host" "$work/maps/$host.json"
  daemon_start "$host" --log-level debug
done
for host in "${overlay_hosts[@]}"; do
  check "$host is up" host_run "$host" wigeon up --wait --timeout 20
done
for r in 100.64.0.2 100.64.0.3; do
  check "the client and $r meet" wait_for 20 host_run client ping -c 1 -W 1 $r
done

echo "# one network through two routing peers"
served true
wanted 100 200
check "the client takes the one of the lower metric" wait_for 20 through r1
check "the LAN is reached through it, and sees the router's address" seen_as 10.30.0.1 client 10.30.0.10 8080
check "over UDP too" seen_as 10.30.0.1 client 10.30.0.10 8080 udp
check "and over IPv6" seen_as fd00:30::1 client fd00:30::10 8080
check "the network is an allowed IP of this router" allowed r1 10.30.0.0/24
check_not "and of no other one" allowed r2 10.30.0.0/24
check "status of a routing peer names the network" status_is r1 '.networks == ["10.30.0.0/24", "fd00:30::/64"]'
wanted 200 100
check "the other router, when its metric is the lower one" wait_for 10 through r2
check "the LAN sees that one's address" seen_as 10.30.0.2 client 10.30.0.10 8080
wanted 100 200
check "and back" wait_for 10 through r1

served false
check "without masquerade the LAN sees the client's address" seen_as 100.64.0.1 client 10.30.0.10 8080
check "over IPv6 too" seen_as fd00:6400::1 client fd00:30::10 8080
check "and the router has no rule that would masquerade" sh -c "! nsenter -t ${host_pid[r1]} -a nft list table inet wigeon | grep -q masquerade"

echo "# a routing peer that dies"
served true
wanted 100 100
check "a connected router is in use" wait_for 60 answered
check "and known as connected" wait_for 60 sh -c "nsenter -t ${host_pid[client]} -a wigeon status --json | jq -e '[.peers.details[] | select(.status == \"Connected\")] | length == 2'"
if through r1; then
  first=r1 second=r2
else
  first=r2 second=r1
fi
lines=$(log_length)
died=$(now_ms)
router_dies "$first"
resumes "$died" "traffic resumes through the other one"
check "which is the one in use" through "$second"
check "the LAN sees its address" seen_as "10.30.0.${second#r}" client 10.30.0.10 8080
check "one operation moved the network, and it named two peers" one_move "$first" "$second" "$lines"
heard=$(received "$first")
lines=$(log_length)
daemon_start "$first" --log-level debug
check "the first router is back" wait_for 60 sh -c "[ \"\$(nsenter -t ${host_pid[client]} -a wigeon status --json |
  jq '[.peers.details[] | select(.fqdn == \"$first.wigeon.example\") | .transferReceived][0]')\" != $heard ]"
for ((i = 0; i < 12; i++)); do
  sleep 1
  answered >/dev/null 2>&1 || true
done
check "the network stays where it is" through "$second"
check_not "and was never moved" sh -c "tail -n +$lines '$logs/client.log' | grep 'allowed-ips.*10\.30\.0\.0/24'"

echo "# a routing peer that is cut off"
wanted 50 100
check "the lower metric wins" wait_for 60 through r1
check "as the LAN sees" wait_for 10 seen_as 10.30.0.1 client 10.30.0.10 8080
lines=$(log_length)
died=$(now_ms)
router_cut r1
resumes "$died" "traffic resumes through the other one"
check "which is the one in use, though its metric is higher" through r2
check "one operation moved the network, and it named two peers" one_move r1 r2 "$lines"
died=$(now_ms)
router_joined r1
check "the router of the lower metric wins back" wait_for 90 through r1
echo "# after $(($(now_ms) - died)) ms"
check "and carries the traffic" wait_for 10 seen_as 10.30.0.1 client 10.30.0.10 8080

full || exit 0

echo "# an exit node beside it"
map_apply r1 '.Routes = [route("exit"; "0.0.0.0/0"; $r1; 100; true), route("lan"; "10.30.0.0/24"; $r1; 100; false)]'
settings_apply client '{"allowDefaultRoute": true}'
map_apply client '.Routes = [route("exit"; "0.0.0.0/0"; $r1; 100; true), route("lan"; "10.30.0.0/24"; $r1; 100; false)]'
check "the exit node is used" wait_for 10 through r1 "exit|0.0.0.0/0"
check "and masquerades" wait_for 10 seen_as 192.0.2.2 client 203.0.113.10 8080
check "its masquerade does not reach the network whose route has none" seen_as 100.64.0.1 client 10.30.0.10 8080
check "a private network behind it is not part of everything" seen_as "" client 10.40.0.10 8080
settings_apply client '{}'
check "without the opt-in the exit node is refused" wait_for 10 refused "route exit" "routing.allowDefaultRoute"
check "and the LAN still reached" wait_for 10 seen_as 100.64.0.1 client 10.30.0.10 8080
check "while the rest of the world is not reached through it" wait_for 10 seen_as 192.0.2.1 client 203.0.113.10 8080

echo "# only what is routed is forwarded"
served true
check "no host of them forwards by itself" equal "$(setting r1 net.ipv4.ip_forward)$(setting r2 net.ipv4.ip_forward)" 00
for r in "${routers[@]}"; do
  check "$r forwards what wt0 and the LAN's interface bring" \
    equal "$(setting "$r" net.ipv4.conf.wt0.forwarding)$(setting "$r" net.ipv4.conf.eth1.forwarding)" 11
  check "$r does not forward what the underlay brings" equal "$(setting "$r" net.ipv4.conf.eth0.forwarding)" 0
done
check "status names them, and what they were" status_is r1 \
  '.routing.sysctls | any(.name == "net.ipv4.conf.eth1.forwarding" and .value == "1" and .before == "0")'
wanted 100 200 '.Routes += [route("side"; "10.40.0.0/24"; $r1; 100; true)]'
check "the client sends a network to a peer that does not route it" wait_for 10 through r1 "side|10.40.0.0/24"
check "which does not forward it" seen_as "" client 10.40.0.10 8080
map_apply r1 '.Routes = [route("lan"; "10.30.0.0/24"; $r1; 100; true), route("side"; "10.40.0.0/24"; $r1; 100; true)]'
check "until it is told to" wait_for 10 seen_as 10.40.0.1 client 10.40.0.10 8080
map_apply r1 '.Routes = [route("lan"; "10.30.0.0/24"; $r1; 100; true)]'
check "and no longer when it is not" wait_for 10 seen_as "" client 10.40.0.10 8080
check "the other network is still reached" seen_as 10.30.0.1 client 10.30.0.10 8080
for r in "${routers[@]}"; do
  check "$r goes down" host_run "$r" wigeon down
  check "and is as before, byte for byte" diff "$work/before.$r" <(host_snapshot "$r")
  check "$r comes up again" host_run "$r" wigeon up --wait --timeout 20
done

echo "# networks of a user's choice"
map_apply r1 '.Routes = [route("lan"; "10.30.0.0/24"; $r1; 100; true), route("side"; "10.40.0.0/24"; $r1; 100; true)]'
map_apply client '.Routes = [route("lan"; "10.30.0.0/24"; $r1; 100; true), route("lan"; "10.30.0.0/24"; $r2; 200; true),
  route("side"; "10.40.0.0/24"; $r1; 100; true),
  {ID: "web", NetID: "web", Network: "invalid Prefix", NetworkType: "3", Peer: $r1, Metric: "100", Domains: ["app.example"]}]'
listed() { # STATUS-OF-LAN STATUS-OF-SIDE
  cat <<TEXT
Available Networks:

  - ID: lan
    Network: 10.30.0.0/24
    Status: $1

  - ID: side
    Network: 10.40.0.0/24
    Status: $2

  - ID: web
    Domains: app.example
    Status: Not Selected
    Resolved IPs: -
TEXT
}
list_is() { equal "$(listed "$@")" "$(host_run client wigeon networks list)"; }
check "the list of networks" list_is Selected Selected
check "routes ls is the same" equal "$(host_run client wigeon networks list)" "$(host_run client wigeon routes ls)"
host_run client wigeon networks list --json >"$work/list.json"
check "as JSON" jq -e '[.networks[] | [.id, .networks, .domains, .selected]] ==
  [["lan", ["10.30.0.0/24"], [], true], ["side", ["10.40.0.0/24"], [], true], ["web", [], ["app.example"], false]]' "$work/list.json"
check "a domain route is refused in status" refused "route web" "domain routes are not built yet"
check "and on the screen" host_run client wigeon status
check_said "with its reason" "Refused: route web (domain routes are not built yet)"
check "both networks are reached" sh -c "nsenter -t ${host_pid[client]} -a ping -c 1 -W 2 10.30.0.10 && nsenter -t ${host_pid[client]} -a ping -c 1 -W 2 10.40.0.10"

check_exit 0 "deselect" host_run client wigeon networks deselect lan
check_said "says so" "Networks deselected successfully."
check "the list tells it" list_is "Not Selected" Selected
check_not "its route is gone" wait_for 3 has_route 10.30.0.0/24
check_not "and its allowed IP" allowed r1 10.30.0.0/24
check "the other one is there" has_route 10.40.0.0/24
check_not "the LAN is not reached" answered
daemon_kill client TERM
daemon_start client --log-level debug
check "the client is up again" host_run client wigeon up --wait --timeout 20
check "the choice was kept" list_is "Not Selected" Selected
check_not "no route" has_route 10.30.0.0/24
check_exit 0 "select, besides" host_run client wigeon networks select -a lan
check_said "says so" "Networks selected successfully."
check "the list tells it" list_is Selected Selected
check "and the LAN is reached" wait_for 10 answered
check_exit 0 "select, instead" host_run client wigeon networks select side
check "leaves that one only" list_is "Not Selected" Selected
check_exit 0 "select all" host_run client wigeon routes select all
check "takes every one" list_is Selected Selected
check_exit 10 "select of an unknown one" host_run client wigeon networks select nosuch
check_said "names it" "route 'nosuch' is not available"
check_exit 10 "deselect of an unknown one" host_run client wigeon networks deselect nosuch
check "changes nothing" list_is Selected Selected
check_exit 2 "select without a name" host_run client wigeon networks select
check_exit 0 "deselect all" host_run client wigeon networks deselect all
check "takes none" list_is "Not Selected" "Not Selected"
wait_for 5 sh -c "! nsenter -t ${host_pid[client]} -a ip route show | grep -q '10\\..*wt0'"
check_exit 0 "select all again" host_run client wigeon networks select all

echo "# routes that cannot be"
map_apply client '.Routes = [
  route("stranger"; "10.50.0.0/24"; "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE="; 100; true),
  route("gateway"; "192.0.2.9/32"; $r1; 100; true), route("wire"; "192.0.2.128/25"; $r1; 100; true),
  route("wide"; "192.0.0.0/16"; $r2; 100; true), route("everything"; "0.0.0.0/0"; $r1; 100; true),
  route("half"; "0.0.0.0/1"; $r1; 100; true), route("half"; "128.0.0.0/1"; $r1; 100; true),
  route("lan"; "10.30.0.0/24"; $r1; 100; true), route("again"; "10.30.0.0/24"; $r2; 100; true),
  route("side"; "10.40.0.0/24"; $r1; 100; true)]'
check "a routing peer nobody knows" refused "route stranger" "its routing peer is not in the map"
check "the host's gateway" refused "route gateway" "overlaps 192.0.2"
check "a part of its own network" refused "route wire" "overlaps 192.0.2.0/24, the network of eth0"
check "more than that" refused "route wide" "the endpoint of peer"
check "everything, without the opt-in" refused "route everything" "routing.allowDefaultRoute"
check "everything in two halves" refused "route half" "routing.allowDefaultRoute"
for network in 10.50.0.0/24 192.0.2.9 192.0.2.128/25 192.0.0.0/16 default 128.0.0.0/1; do
  check_not "no route of that: $network" has_route $network
done
check "the others apply" sh -c "nsenter -t ${host_pid[client]} -a ping -c 1 -W 2 10.30.0.10 && nsenter -t ${host_pid[client]} -a ping -c 1 -W 2 10.40.0.10"
check "of two names for one network the second waits" status_is client \
  '[.routing.groups[] | select(.network == "10.30.0.0/24")] | length == 2 and ([.[] | select(.peer != "")] | length == 1)
   and any(.peer == "" and (.reason | contains("goes through")))'
in_use=$(status_json client | jq -r '.routing.groups[] | select(.network == "10.30.0.0/24" and .peer != "") | .networkId')
check "the one that has it is deselected" host_run client wigeon networks deselect "$in_use"
check "the other takes over" wait_for 10 status_is client \
  ".routing.groups | any(.network == \"10.30.0.0/24\" and .networkId != \"$in_use\" and .peer != \"\")"
check "and the LAN is reached" wait_for 10 answered
host_run client wigeon networks select all >/dev/null

echo "# ports of a routing peer that lead to the client"
map_apply client '.'
forwarding='.forwardingRules = [
  {protocol: "TCP", destinationPort: {port: 8443}, translatedAddress: "ZEAAAQ==", translatedPort: {port: 8080}},
  {protocol: "UDP", destinationPort: {range: {start: 18079, end: 18081}}, translatedAddress: "ZEAAAQ==",
   translatedPort: {range: {start: 8079, end: 8081}}}]'
forwarded() {
  check "$1: a TCP port leads there, and the answer back" wait_for 10 seen_as 100.64.0.2 world 192.0.2.2 8443
  check "$1: and a range of UDP ports" seen_as 100.64.0.2 world 192.0.2.2 18080 udp
}
map_apply r1 "$forwarding"
forwarded "a peer without networks"
check "no other port does" seen_as "" world 192.0.2.2 8080
check "and what was opened is no way between others" seen_as "" lan 203.0.113.10 8080
check "it still does not forward everything" equal "$(setting r1 net.ipv4.ip_forward)" 0
check "forwarding list" equal "$(host_run r1 wigeon forwarding list)" "Available forwarding rules:

Translated peer: client.wigeon.example
  Local tcp/8443 to 100.64.0.1:8080
  Local udp/18079-18081 to 100.64.0.1:8079-8081"
host_run r1 wigeon forwarding ls --json >"$work/list.json"
check "as JSON" jq -e '.rules[1] == {protocol: "udp", destinationPort: "18079-18081", translatedAddress: "100.64.0.1",
  translatedHostname: "client.wigeon.example", translatedPort: "8079-8081"}' "$work/list.json"
check "status counts them" status_is r1 '.forwardingRules == 2'
map_apply r1 ".Routes = [route(\"lan\"; \"10.30.0.0/24\"; \$r1; 100; true)] | $forwarding"
forwarded "beside a network"
check "without any" host_run client wigeon forwarding list
check_said "the list says so" "No forwarding rules available."

echo "# Docker on a routing peer"
check "r1 goes down" host_run r1 wigeon down
check "and is as before" diff "$work/before.r1" <(host_snapshot r1)
host_run r1 ip link add docker0 type bridge
host_run r1 ip link set docker0 up
host_run r1 iptables-nft-restore <"$root/tests/netns/docker.rules"
# Table by table, without times and counters.
tables_saved() {
  host_run r1 sh -c 'for t in filter nat; do iptables-nft-save -t $t; done 2>&1' | sed '/ on /d; s/ \[[0-9]*:[0-9]*\]//'
}
wait_for 10 host_settled r1
host_snapshot r1 >"$work/before.docker"
tables_saved >"$work/before.tables"
map_apply client '.Routes = [route("lan"; "10.30.0.0/24"; $r1; 100; true)]'
check "r1 comes up beside Docker" host_run r1 wigeon up --wait --timeout 20
check "the LAN is reached in spite of Docker's policy" wait_for 60 seen_as 10.30.0.1 client 10.30.0.10 8080
forwarded "beside Docker"
check "status says what of ours is in Docker's chain" status_is r1 \
  '.routing.foreignFirewall | any(contains("DOCKER-USER has two rules of ours"))'
check "and no chain but that one has changed" diff "$work/before.tables" <(tables_saved | grep -v 'wigeon: ')
check "which is true" sh -c "nsenter -t ${host_pid[r1]} -a iptables-nft-save -t filter | grep -c 'DOCKER-USER.*wigeon: ' | grep -qx 2"
check "r1 goes down beside Docker" host_run r1 wigeon down
check "and Docker's tables are as before" diff "$work/before.tables" <(tables_saved)
check "with the whole host" diff "$work/before.docker" <(host_snapshot r1)
