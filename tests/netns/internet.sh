# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# shellcheck disable=SC2154  # lib.sh sets root, work, logs and host_pid
# A small Internet, for tests of what goes into the tunnel and what must not. Source it after
# lib.sh.
#
#   pod ─ 198.51.100.0/24 ─┐        ┌─ 203.0.113.0/24 ─ inet     and 2001:db8:N::/64 on each wire,
#                          ├─  gw  ─┤                            1 to 4 in this order
#   service ─ 10.20.0.0/24 ┘        └─ 192.0.2.0/24 ─── exit
#
# The host at the far end of each wire is .2 and ::2, the gateway .1 and ::1. The gateway forwards,
# and sends what is for the overlay to exit. pod may use exit as its exit node. inet and service
# answer on ports 80 and 8080, TCP and UDP, with the address they were asked from.
#
#   internet_make            all of it, without daemons
#   maps_put [V6]            keys, settings and maps of pod and exit; without V6 pod has no IPv6
#                            address in the overlay
#   wire A IF ADDRESS B IF ADDRESS   (IPv4 and IPv6 addresses separated by a comma)
#   saw HOST ADDRESS PORT [udp] [SOURCE]   the answer, "" when there is none
#   answers HOST [ADDRESS]           serves on HOST, on all addresses or UDP on this one only
#   uplink_count NAME        packets that the gateway got from pod in clear: inet4, inet6, overlay

wire() {
  local a=$1 a_if=$2 a_addresses=$3 b=$4 b_if=$5 b_addresses=$6 address
  nsenter -t "${host_pid[$a]}" -n ip link add "$a_if" type veth peer name "$b_if" netns "${host_pid[$b]}"
  for address in ${a_addresses//,/ }; do address_add "$a" "$a_if" "$address"; done
  for address in ${b_addresses//,/ }; do address_add "$b" "$b_if" "$address"; done
  host_run "$a" ip link set "$a_if" up
  host_run "$b" ip link set "$b_if" up
}

address_add() {
  local nodad=()
  [[ $3 != *:* ]] || nodad=(nodad)
  host_run "$1" ip address add "$3" dev "$2" "${nodad[@]}"
}

# to_gateway HOST IF NUMBER IPV4-NETWORK
to_gateway() {
  wire "$1" "$2" "$4.2/24,2001:db8:$3::2/64" gw "to_$1$3" "$4.1/24,2001:db8:$3::1/64"
  host_run "$1" ip route add default via "$4.1"
  host_run "$1" ip -6 route add default via "2001:db8:$3::1"
}

answers() {
  host_start "$1" "$logs/answers-$1.log" python3 -IS "$root/tests/netns/answer.py" "${2:-::}"
}

internet_make() {
  local host
  hosts_init "$work"
  for host in gw inet service exit pod; do host_make "$host"; done
  host_run gw sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
  to_gateway pod "${pod_if:-eth0}" 1 198.51.100
  to_gateway service eth0 2 10.20.0
  to_gateway inet eth0 3 203.0.113
  to_gateway exit eth0 4 192.0.2
  host_run gw ip route add 100.64.0.0/16 via 192.0.2.2
  host_run gw ip -6 route add fd00:6400::/64 via 2001:db8:4::2
  # A server of names, as far as pod knows.
  host_run inet ip address add 203.0.113.53/24 dev eth0
  host_run pod sh -c 'echo nameserver 203.0.113.53 > /etc/resolv.conf'
  answers inet
  answers service
  host_run gw nft -f - <<'NFT'
table inet watch {
  counter inet4 {}
  counter inet6 {}
  counter overlay {}
  counter udp_answers {}
  chain from_pod {
    type filter hook prerouting priority -300;
    iifname != "to_pod*" return
    ip daddr 203.0.113.2 udp sport 8080 counter name udp_answers
    ip6 daddr 2001:db8:3::2 udp sport 8080 counter name udp_answers
    ip daddr 203.0.113.2 counter name inet4
    ip6 daddr 2001:db8:3::2 counter name inet6
    ip daddr 100.64.0.0/16 counter name overlay
    ip6 daddr fd00:6400::/64 counter name overlay
  }
}
NFT
}

settings_put() { # HOST ROUTING-JSON
  host_run "$1" sh -c "mkdir -p /etc/wigeon; cat > /etc/wigeon/config.json" <<<"{\"dns\":{\"redirect\":\"bind\"},\"routing\":$2}"
}

maps_put() {
  local host pod_v6=${1:-}
  map_serial=$((${map_serial:-0} + 1))
  mkdir -p "$work/keys" "$work/maps"
  for host in pod exit; do
    [ -e "$work/keys/$host.pub" ] || host_run "$host" wigeond --print-public-key >"$work/keys/$host.pub"
  done
  jq '.hosts = {pod: {address: "100.64.0.1", address_v6: "fd00:6400::1"},
      exit: {address: "100.64.0.2", address_v6: "fd00:6400::2", endpoint: "192.0.2.2:51820"}}
      | .policies = []' "$root/scripts/examples/inventory.json" >"$work/inventory.json"
  make_maps "$map_serial" "$work/inventory.json"
  jq --arg v6 "$pod_v6" '.remotePeers[0].allowedIps += ["0.0.0.0/0", "::/0"]
      | if $v6 == "" then del(.peerConfig.address_v6) else . end' "$work/maps/pod.json" >"$work/pod.json"
  jq --arg key "$(cat "$work/keys/exit.pub")" '.Routes = [
      {ID: "exit4", Network: "0.0.0.0/0", NetworkType: "1", Peer: $key, Metric: "9999", Masquerade: false, NetID: "exit"},
      {ID: "exit6", Network: "::/0", NetworkType: "2", Peer: $key, Metric: "9999", Masquerade: false, NetID: "exit"},
      # Private networks are not part of "everything".
      {ID: "service", Network: "10.20.0.0/16", NetworkType: "1", Peer: $key, Metric: "9999", Masquerade: false, NetID: "service"}]' \
    "$work/maps/exit.json" >"$work/exit.json"
  for host in pod exit; do put_map "$host" "$work/$host.json"; done
}

saw() { host_run "$1" timeout 20 python3 -IS "$root/tests/netns/answer.py" --ask "${@:2}" 2>/dev/null || true; }
# seen_as WANTED HOST ADDRESS PORT [udp] [SOURCE]
seen_as() { equal "$(saw "${@:2}")" "$1"; }

uplink_count() { host_run gw nft -j list counter inet watch "$1" | jq '.nftables[] | .counter? | select(.) | .packets'; }
