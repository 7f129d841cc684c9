# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests in which wigeond shares the guest with others who think the network is theirs.
#
#   guest: 192.0.2.1/24 on up0 ── wire ── 192.0.2.254/24 gw ── wire ── far 198.51.100.2/24
#   guest: 100.64.0.1/16 on wt0 ═════════════ tunnel ═══════════════ far: 100.64.0.2 and 10.77.0.1
#
# up0 has no address yet: that is for whoever manages the guest's network.
# shellcheck source=tests/vm/lib.sh
. /mnt/in/lib.sh

network() {
  host gw
  host far
  ip link add up0 type veth peer name to_guest netns "t$$-gw"
  in_gw ip address add 192.0.2.254/24 dev to_guest
  in_gw ip address add 192.0.2.253/24 dev to_guest
  in_gw ip link set to_guest up
  join gw 198.51.100.1/24 far 198.51.100.2/24
  in_gw sysctl -qw net.ipv4.ip_forward=1
  in_far ip route add default via 198.51.100.1
  in_far ip link add wt0 type wireguard
  in_far ip address add 100.64.0.2/16 dev wt0
  in_far ip address add 10.77.0.1/32 dev lo
}

# The far peer is the exit node: rules and a table of our own on the guest.
wigeon_start() {
  mkdir -p /etc/wigeon
  cat > /etc/wigeon/config.json << 'JSON'
{"dns": {"redirect": "off", "manager": "none"}, "routing": {"allowDefaultRoute": true}}
JSON
  in_far wg set wt0 listen-port 51820 private-key <(key_of far) \
    peer "$(wigeond --print-public-key)" allowed-ips 100.64.0.1/32
  in_far ip link set wt0 up
  cat > /etc/wigeon/network_map.json << JSON
{"Serial": "1", "peerConfig": {"address": "100.64.0.1/16", "address_v6": "fd00:6400::1/64",
 "fqdn": "guest.wigeon.example"},
 "remotePeers": [{"wgPubKey": "$(key_of far | wg pubkey)", "fqdn": "far.wigeon.example",
 "allowedIps": ["100.64.0.2/32", "10.77.0.0/24", "0.0.0.0/0", "::/0"],
 "endpoint": "198.51.100.2:51820"}]}
JSON
  background wigeond
  wait_for 30 wigeon version --daemon
}

# Rules and routes as Tailscale and wg-quick make them, with devices of their own. wg-quick's
# table has no default route here: that would take WireGuard's own packets as well.
foreign_up() {
  ip -batch - <<- END
	link add tailscale0 type dummy
	link add wg51820 type dummy
	address add 100.127.0.9/32 dev tailscale0
	link set tailscale0 up
	link set wg51820 up
	route add 100.127.0.0/24 dev tailscale0 table 52
	route add 198.18.0.0/15 dev wg51820 table 51820
	END
  ip -6 route add 2001:2::/48 dev wg51820 table 51820
  foreign_rules
}

# Those that are there already stay.
foreign_rules() {
  local family
  for family in -4 -6; do
    ip $family -force -batch - 2> /dev/null <<- END || :
	rule add pref 5210 fwmark 0x80000/0xff0000 lookup main
	rule add pref 5230 fwmark 0x80000/0xff0000 lookup default
	rule add pref 5250 fwmark 0x80000/0xff0000 unreachable
	rule add pref 5270 lookup 52
	rule add pref 32764 lookup main suppress_prefixlength 0
	rule add pref 32765 not fwmark 51820 lookup 51820
	END
  done
}

both() { ip -4 -j "$@" && ip -6 -j "$@"; }

# What is wigeon's: everything with its protocol number, and its link with its addresses; but for
# its rules for others' marks, which come and go with those.
ours() {
  {
    both rule show
    both route show table all proto 89
    ip -j address show dev wt0 2> /dev/null || :
  } | jq -c '.[] | if .addr_info then
        {ifindex, ifname, mtu, link_type, up: (.flags | index("UP") != null),
         addresses: ([.addr_info[] | {local, prefixlen, scope}] | sort_by(.local))}
      elif has("priority") then select((.protocol | tostring) == "89" and
        (.fwmark | IN("0x80000", "0xca6c") | not))
      else del(.flags) end' | sort
}

foreign_rules_now() { both rule show | jq -c '.[] | select((.protocol | tostring) != "89")'; }
foreign_routes_now() {
  local table
  for table in 52 51820; do both route show table $table 2> /dev/null | jq -c '.[]'; done
}
foreign() {
  foreign_rules_now
  foreign_routes_now
}

# What happened to rules and routes, with the guest's time; `since_mark` is what came after `mark`.
watch_kernel() {
  ip -tshort monitor rule route > "$VM_OUT/monitor.txt" &
  _background+=("$!")
}
mark() { _mark=$(wc -l < "$VM_OUT/monitor.txt"); }
since_mark() { tail -n "+$((_mark + 1))" "$VM_OUT/monitor.txt"; }

# How long what was taken from us was gone: the longest time between a line "Deleted X" and the
# next line "X", for rules and routes of protocol 89. Never compared: the guest is emulated.
gaps() {
  since_mark | python3 -c '
import datetime, re, sys
gone, longest, count = {}, 0.0, 0
for line in sys.stdin:
    m = re.match(r"\[([0-9T:.-]+)\]\s*(?:\[\w+\])?\s*(Deleted )?(.*proto 89.*)", line)
    if not m:
        continue
    at = datetime.datetime.fromisoformat(m[1]).timestamp()
    what = " ".join(m[3].split())
    if m[2]:
        gone[what] = at
        count += 1
    elif what in gone:
        longest = max(longest, at - gone.pop(what))
print(f"{count} taken away, the longest back after {longest:.3f} s, {len(gone)} never")'
}

before= # ours, as it was when all was well

# after SENTENCE COMMAND…: what is ours is back (or never went) when the command has been run.
after() {
  local sentence=$1 lost
  shift
  mark
  "$@"
  ok "$sentence: what is ours is there" wait_for 30 same_as_before
  lost=$(gaps)
  say "$sentence: $lost"
}
same_as_before() { diff <(echo "$before") <(ours); }
through_tunnel() { ping -c1 -W2 10.77.0.1; }
