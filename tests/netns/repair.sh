#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
#   ┌─ alpha ──────────────────────┐                   ┌─ beta ─┐
#   │ Tailscale's and wg-quick's   │ eth0 ─────── eth0 │        │
#   │ rules and tables, nft tables │                   └────────┘
#   └──────────────────────────────┘
#
# What somebody else changes of ours is put right, and nothing foreign with it. alpha has beta as
# its exit node and serves a network, so that there is something of every kind.
# shellcheck disable=SC2016  # much of it is expanded by a host's shell
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/netns/snapshot.sh
. "$(dirname "$0")/snapshot.sh"
# shellcheck source=tests/netns/foreign.sh
. "$(dirname "$0")/foreign.sh"
for tool in jq wg nft ss python3; do command -v $tool >/dev/null || skip "needs $tool"; done

on() { host_run alpha "$@"; }

others() {
  tailscale_rules others0
  wg_quick_rules others0
  on ip -6 route add fd00:200::/32 dev others0 table 51821
  on ip route add 10.201.0.0/16 dev others0 protocol static
  on nft -f - <<'NFT'
table ip nat {
  chain DOCKER { iifname != "docker0" tcp dport 8080 counter dnat to 172.17.0.2:80; }
  chain PREROUTING {
    type nat hook prerouting priority dstnat; policy accept;
    fib daddr type local counter jump DOCKER
  }
}
table inet others {
  set s { type ipv4_addr; elements = { 192.0.2.77 }; }
  chain input { type filter hook input priority 10; policy accept; ip saddr @s counter drop; }
}
NFT
}
foreign() {
  on sh -c '
    for f in -4 -6; do
      ip $f rule show | grep -Ev "^10[0-9]:|^110:"
      for table in main 52 51821; do ip $f -d route show table $table | grep -Ev "proto (89|wigeon)|dev wt0"; done
    done
    ip address show dev others0
    ip address show dev eth0
    nft -a -s list table ip nat
    nft -a -s list table inet others'
}
ours() {
  on sh -c '
    for f in -4 -6; do
      ip $f -d rule show | grep -E "proto (89|wigeon)"
      ip $f -d -o route show table all | grep -E "proto (89|wigeon)|dev wt0" | grep -Ev "fe80::|ff00::" | sort
    done
    ip -br address show dev wt0 | sed "s/fe80[^ ]*//;s/ *$//"
    cat /sys/class/net/wt0/mtu
    for what in listen-port fwmark peers allowed-ips persistent-keepalive; do wg show wt0 $what; done
    nft -s list table inet wigeon
    cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/*/forwarding
    cat /proc/sys/net/ipv4/conf/*/send_redirects /proc/sys/net/ipv6/conf/*/accept_ra
    cat /proc/sys/net/ipv6/conf/*/forwarding /proc/sys/net/ipv6/conf/*/force_forwarding 2>/dev/null || true'
}

hosts_with_maps
others
on sh -c 'echo "{\"dns\":{\"redirect\":\"bind\"},\"routing\":{\"allowDefaultRoute\":true}}" >/etc/wigeon/config.json'
on ip link add lan0 type veth peer name lan1
on ip link set lan0 up
on ip link set lan1 up
on ip address add 10.90.0.1/24 dev lan0
on ip address add fd00:90::1/64 dev lan0 nodad
# lan0 listens to routers, which a host that forwards IPv6 does no more by itself.
on sysctl -qw net.ipv6.conf.lan0.accept_ra=1
on ip -6 route add fd00:91::/64 dev lan0 proto ra
jq --arg own "$(cat "$work/keys/alpha.pub")" '
  .remotePeers[0].allowedIps += ["0.0.0.0/0", "::/0", "10.77.0.0/16", "fd00:77::/48"]
  | .Routes = [{ID: "lan", NetID: "lan", Network: "10.90.0.0/24", NetworkType: "1", Peer: $own,
                Metric: "9999", Masquerade: true},
               {ID: "lan6", NetID: "lan6", Network: "fd00:90::/64", NetworkType: "2", Peer: $own,
                Metric: "9999", Masquerade: true}]' "$work/maps/alpha.json" >"$work/full.json"
put_map alpha "$work/full.json"
# eth0, lan0, lan1, others0: the kernel checks their link-local addresses for doubles first.
settled() { equal 4 "$(on ip -6 -o address show scope link -tentative | grep -c fe80)"; }
wait_for 10 settled
before=$(host_snapshot alpha)
foreign_before=$(foreign)
both_up
ping_beta() { on ping -c 1 -W 1 100.64.0.2; }
check "alpha and beta meet" wait_for 20 ping_beta
ours_before=$(ours)
for part in 'lookup 7120' 'default dev wt0 table 7120' 'unreachable default' '100.64.0.1' masquerade; do
  check "what is watched has \"$part\"" grep -q -- "$part" <<<"$ours_before"
done

repairs() { status_json alpha | jq .routing.repairs; }
# Runs on the host: BREAK, then tells in ms how long it took until CHECK is true.
# shellcheck disable=SC2317  # called there
mend_there() {
  now() { local up rest && read -r up rest </proc/uptime && echo "${up/./}0"; }
  eval "$2" >/dev/null || { echo "before: $2"; return 1; }
  eval "$1" || { echo "cannot: $1"; return 1; }
  local since end
  since=$(now)
  end=$((since + $3 * 1000))
  until eval "$2" >/dev/null 2>&1; do
    [ "$(now)" -lt $end ] || { echo "after $3 s: not $2"; return 1; }
  done
  echo "$(($(now) - since)) ms"
}
as_it_was() { equal "$ours_before" "$(ours)"; }
listed() { status_is alpha "[.events[].message | select(contains(\"$1\"))] | length > 0"; }
counted() { status_is alpha ".routing.repairs > $1 and (.routing.lastRepair | contains(\"$2\"))"; }

# The daemon puts right ten things at once, and then one each 3 s (repair_budget.hh); the next
# daemon, which takes up what is there, has a budget of its own.
next_daemon() {
  daemon_kill alpha TERM
  daemon_start alpha
  wait_for 20 on wigeon status --check ready
}

broken=0
slowest=0
# comes_back WHAT LAST-REPAIR BREAK CHECK [SECONDS]
comes_back() {
  local what=$1 said=$2 count took
  full || [[ $4 == *wt0* ]] || return 0
  broken=$((broken + 1))
  [ $((broken % 8)) != 0 ] || next_daemon
  count=$(repairs)
  took=$(on bash -c "$(declare -f mend_there); mend_there \"\$@\"" _ "$3" "$4" "${5:-10}") || {
    echo "# $took"
    ours | diff <(echo "$ours_before") - || true
    failed "$what is back"
  }
  passed "$what is back: $took"
  took=${took% ms}
  [ -n "${5:-}" ] || [ "$took" -le "$slowest" ] || slowest=$took
  check "$what: all of ours is as it was" wait_for 5 as_it_was
  check "$what: counted, with a word for it" wait_for 5 counted "$count" "$said"
  check "$what: in the events" listed "$said"
  check "$what: nothing foreign has changed" equal "$foreign_before" "$(foreign)"
}

key=$(cat "$work/keys/beta.pub")
comes_back "a rule" "rule add pref 110" \
  'ip rule del pref 110' 'ip rule show pref 110 | grep .'
comes_back "a rule of IPv6" "rule add pref 105 inet6" \
  'ip -6 rule del pref 105' 'ip -6 rule show pref 105 | grep .'
comes_back "a route" "route add 10.77.0.0/16" \
  'ip route del 10.77.0.0/16 table 7120' 'ip route show table 7120 | grep ^10.77.0.0/16'
comes_back "the default route" "route add 0.0.0.0/0 dev wt0 table 7120" \
  'ip route del default dev wt0 table 7120' 'ip route show table 7120 | grep "^default dev wt0"'
comes_back "the overlay's unreachable route" "route add unreachable 100.64.0.0/16" \
  'ip route del unreachable 100.64.0.0/16 metric 4294967295' 'ip route show type unreachable | grep 100.64.0.0/16'
comes_back "the unreachable route of IPv6" "route add unreachable fd00:6400::/64" \
  'ip -6 route del unreachable fd00:6400::/64 metric 4294967295' 'ip -6 route show | grep "^unreachable fd00:6400::/64"'
comes_back "the route to the overlay" "address add 100.64.0.1/16 dev wt0" \
  'ip route del 100.64.0.0/16 dev wt0' 'ip route show dev wt0 | grep "^100.64.0.0/16"'
comes_back "the route to the overlay of IPv6" "address add fd00:6400::1/64 dev wt0" \
  'ip -6 route del fd00:6400::/64 dev wt0' 'ip -6 route show dev wt0 | grep "^fd00:6400::/64"'
comes_back "an address" "address add 100.64.0.1/16 dev wt0" \
  'ip address del 100.64.0.1/16 dev wt0' 'ip address show dev wt0 | grep 100.64.0.1/16'
comes_back "an address of IPv6" "address add fd00:6400::1/64 dev wt0" \
  'ip address del fd00:6400::1/64 dev wt0' 'ip address show dev wt0 | grep fd00:6400::1/64'
comes_back "a foreign address on our link" "address del 10.5.5.5/32 dev wt0" \
  'ip address add 10.5.5.5/32 dev wt0' '! ip address show dev wt0 | grep 10.5.5.5'
comes_back "a peer" "peer $key add" \
  "wg set wt0 peer $key remove" "wg show wt0 peers | grep -F $key"
check "and in session again" wait_for 20 ping_beta
comes_back "a peer's allowed IPs" "allowed-ips" \
  "wg set wt0 peer $key allowed-ips 10.1.2.3/32" "wg show wt0 allowed-ips | grep 0.0.0.0/0"
comes_back "a stranger's peer" "remove" \
  'wg set wt0 peer AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= allowed-ips 10.1.2.3/32' '! wg show wt0 peers | grep ^AAAAAAA'
comes_back "the listen port" "listen-port 51820" \
  'wg set wt0 listen-port 51999' 'wg show wt0 listen-port | grep -x 51820'
comes_back "the fwmark" "fwmark 113920" \
  'wg set wt0 fwmark 0' 'wg show wt0 fwmark | grep 0x1bd00'
comes_back "the MTU" "mtu 1280" \
  'ip link set wt0 mtu 1400' 'grep -x 1280 /sys/class/net/wt0/mtu'
comes_back "a link that was set down" "address add fd00:6400::1/64 dev wt0" \
  'ip link set wt0 down' 'ip link show wt0 up | grep . && ip route show table 7120 | grep "^default dev wt0"'
check "and in session" wait_for 20 ping_beta
comes_back "a deleted link" "link add wt0" \
  'ip link del wt0' 'ip link show wt0 up && ip route show table 7120 | grep "^default dev wt0" && ip address show dev wt0 | grep 100.64.0.1/16'
check "and in session again" wait_for 20 ping_beta
comes_back "a deleted nft table" "nft replace table" \
  'nft delete table inet wigeon' 'nft list table inet wigeon | grep masquerade'
first_rule() {
  # shellcheck disable=SC2317
  nft -j -a list table inet wigeon | jq -r 'first(.nftables[].rule | select(.)) | "\(.chain) handle \(.handle)"'
}
comes_back "a rule deleted in it" "nft replace table" \
  "$(declare -f first_rule)"'; rules=$(nft list table inet wigeon | wc -l); nft delete rule inet wigeon $(first_rule)' \
  '[ ! "${rules:-}" ] || [ "$(nft list table inet wigeon | wc -l)" = "$rules" ]'
comes_back "a rule added to it" "nft replace table" \
  "$(declare -f first_rule)"'; c=$(first_rule); nft add rule inet wigeon ${c%% *} ip saddr 10.9.9.9 counter accept' \
  '! nft list table inet wigeon | grep 10.9.9.9'
comes_back "our table flushed with all others'" "nft replace table" \
  'nft flush table inet wigeon' 'nft list table inet wigeon | grep masquerade'
comes_back "a sysctl that is heard of" "sysctl net/ipv4/conf/lan0/forwarding=1" \
  'sysctl -qw net.ipv4.conf.lan0.forwarding=0' '[ "$(cat /proc/sys/net/ipv4/conf/lan0/forwarding)" = 1 ]'
v6=$(on sh -c 'cd /proc/sys; ls net/ipv6/conf/lan0/force_forwarding 2>/dev/null || ls net/ipv6/conf/lan0/forwarding')
comes_back "a sysctl of IPv6" "sysctl $v6=1" "sysctl -qw ${v6//\//.}=0" "[ \"\$(cat /proc/sys/$v6)\" = 1 ]"
if on wigeon status --json | jq -e '[.routing.sysctls[].name] | index("net.ipv4.conf.all.send_redirects")' >/dev/null; then
  # The kernel's WireGuard only.
  comes_back "a sysctl of which nothing tells" "sysctl net/ipv4/conf/all/send_redirects=0" \
    'sysctl -qw net.ipv4.conf.all.send_redirects=1' '[ "$(cat /proc/sys/net/ipv4/conf/all/send_redirects)" = 0 ]'
fi
if on wigeon status --json | jq -e '[.routing.sysctls[].name] | index("net.ipv6.conf.lan0.accept_ra")' >/dev/null; then
  # Where IPv6 has no forwarding of its own for each link.
  comes_back "accept_ra, of which nothing tells" "sysctl net/ipv6/conf/lan0/accept_ra=2" \
    'sysctl -qw net.ipv6.conf.lan0.accept_ra=1' '[ "$(cat /proc/sys/net/ipv6/conf/lan0/accept_ra)" = 2 ]'
fi
check "the slowest of those that are heard of took $slowest ms" [ "$slowest" -le 3000 ]

all_back() {
  check "down" on wigeon down
  check "down leaves the host as before" equal "$before" "$(host_snapshot alpha)"
}
full || {
  all_back
  exit
}

# Somebody who does it again and again.

next_daemon
count=$(repairs)
on sh -c 'end=$(($(cut -d. -f1 /proc/uptime) + 12)); n=0
  while [ "$(cut -d. -f1 /proc/uptime)" -lt $end ]; do
    ip rule del pref 110 2>/dev/null && n=$((n + 1))
  done; echo $n' >"$work/fights" &
fight=$!
for _ in 1 2 3; do
  check "in a fight for a rule the daemon answers" on timeout 5 wigeon status --json
  sleep 2
done
wait $fight
count=$(($(repairs) - count))
# Ten at once, one more each 3 s of the 12, and one that was due.
check "it put the rule right $count times, the other removed it $(cat "$work/fights") times" [ $count -le 16 ]
check "but not for want of trying" [ $count -ge 10 ]
for _ in {1..12}; do on wigeon reload >/dev/null; done # each is an event
check "20 events are kept, no more" status_is alpha '.events | length == 20'
has_rule() { on sh -c 'ip rule show pref 110 | grep 7120'; }
check "the rule is there at the end" wait_for 8 has_rule
check "with all the rest" wait_for 8 as_it_was
check "and nothing foreign has changed" equal "$foreign_before" "$(foreign)"

# More news than the daemon's socket can hold.

stop() { kill -STOP "${daemon_pid[alpha]}"; }
# nsenter, whose child it is, stops with it.
cont() { kill -CONT "${daemon_pid[alpha]}" "$(ps -o ppid= -p "${daemon_pid[alpha]}" | tr -d ' ')"; }
next_daemon
count=$(repairs)
stop
on python3 - >"$work/flood" <<'PY'
for verb in "add", "del":
    for i in range(20000):
        print(f"route {verb} 10.{128 + i // 65536}.{i // 256 % 256}.{i % 256}/32 dev others0 table 99")
PY
on ip -batch - <"$work/flood"
on ip route del 10.77.0.0/16 table 7120
on ip rule del pref 105
dropped() { # of a socket of the daemon
  on awk -v pid="${daemon_pid[alpha]}" '$2 == 0 && $9 > 0 { n += $9 } END { exit !n }' /proc/net/netlink
}
check "news were lost" dropped
cont
has_route() { on sh -c 'ip route show table 7120 | grep ^10.77.0.0/16'; }
check "a route is back all the same" wait_for 3 has_route
check "and all the rest" wait_for 5 as_it_was
check "counted" wait_for 5 counted "$count" ""
check "nothing foreign has changed" equal "$foreign_before" "$(foreign)"

all_back
daemon_kill alpha TERM

# A host without IPv6.

on sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1
before=$(host_snapshot alpha)
daemon_start alpha
check "with IPv6 off: up" on wigeon up --wait --timeout 20
check "with IPv6 off: they meet" wait_for 20 ping_beta
check_not "with IPv6 off: wt0 has none" on sh -c 'ip -6 address show dev wt0 | grep -q inet6'
check "with IPv6 off: no error" status_is alpha '[.degraded[] | select(.severity == "error")] == []'
ours_before=$(ours)
foreign_before=$(foreign)
comes_back "with IPv6 off: an address" "address add 100.64.0.1/16 dev wt0" \
  'ip address del 100.64.0.1/16 dev wt0' 'ip address show dev wt0 | grep 100.64.0.1/16'
check "with IPv6 off: down" on wigeon down
check "with IPv6 off: the host is as before" equal "$before" "$(host_snapshot alpha)"
daemon_kill alpha TERM
on sysctl -qw net.ipv6.conf.all.disable_ipv6=0 net.ipv6.conf.default.disable_ipv6=0
wait_for 10 settled

# A table 7120 that others have: the map that needs it is refused, and changes nothing.
on ip route add 10.66.0.0/16 dev others0 table 7120
on ip route add default dev others0 table 7120
on ip -6 route add default dev others0 table 7120
before=$(host_snapshot alpha)
daemon_start alpha
check_not "table 7120 taken: up is refused" on wigeon up --wait --timeout 20
check_said "table 7120 taken: with the reason" "needs routing table 7120, where others have"
check_said "table 7120 taken: and the way out" "routing.table"
check "table 7120 taken: status has it too" status_is alpha \
  '[.degraded[].reason | select(test("needs routing table 7120, where others have"))] | length >= 1'
check "table 7120 taken: the host is as before" equal "$before" "$(host_snapshot alpha)"
check "table 7120 taken: down" on wigeon down
on wigeon up >"$work/out" 2>&1 || true
on ip route del 10.66.0.0/16 table 7120
on ip route del default table 7120
on ip -6 route del default table 7120
full_tunnel() { on sh -c 'ip rule show pref 110 | grep 7120 && ip route show table 7120 | grep "^default dev wt0"'; }
check "once the table is free the full tunnel is made" wait_for 10 full_tunnel
check "with nothing refused" status_is alpha '.routing.refused == []'
on ip route add 10.66.0.0/16 dev others0 table 7120
for _ in 1 2 3 4; do
  check "it does not end when others come into the table then" full_tunnel
  sleep 0.5 # longer than the daemon waits before it looks at the host again
done
said() { status_is alpha "[.degraded[].reason | select(test(\"$1\"))] | length == 1"; }
check "but status says so" wait_for 10 said 'others have 10.66.0.0/16 dev others0 in routing table 7120'
on ip rule add from 10.66.0.1 lookup 7120 pref 90
check "and of a rule that leads there" wait_for 10 said "rule 90 leads into routing table 7120"
check "it does not end then either" full_tunnel
on ip rule del pref 90
not_said() { ! said "$1"; }
check "nor does status once the rule is gone" wait_for 10 not_said "rule 90 leads into routing table 7120"
check "and their route stays" on sh -c 'ip route show table 7120 | grep -q "^10.66.0.0/16 dev others0"'
check "down" on wigeon down
check "their route stays after down" on sh -c 'ip route show table 7120 | grep -q "^10.66.0.0/16 dev others0"'
