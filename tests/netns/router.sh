#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
#   ┌─ alpha ───────────────┐                   ┌─ beta ─┐
#   │ 50,000 routes of BGP, │ eth0 ─────── eth0 │        │
#   │ which come and go     │                   └────────┘
#   └───────────────────────┘
#
# A router's table costs the daemon neither memory nor a look at each change, and what is wanted of
# it (gateways, default routes) is still seen.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
for tool in jq python3; do command -v $tool >/dev/null || skip "needs $tool"; done
routes=50000
# What is freed is kept for a while there, and would count.
export ASAN_OPTIONS=quarantine_size_mb=1:thread_local_quarantine_size_kb=64

on() { host_run alpha "$@"; }
hosts_with_maps
on sh -c 'echo "{\"dns\":{\"redirect\":\"bind\"},\"logLevel\":\"debug\"}" >/etc/wigeon/config.json'
both_up
ping_beta() { on ping -c 1 -W 1 100.64.0.2; }
check "alpha and beta meet" wait_for 20 ping_beta

resident() { awk '/^VmRSS/ { print $2 }' "/proc/${daemon_pid[alpha]}/status"; }
# A log that is not there yet counts as empty.
looks() { grep -c "looked at the host" "$logs/alpha.log" || true; }
# Nothing has been looked at for two seconds.
quiet() {
  local n
  n=$(looks)
  sleep 2
  [ "$n" = "$(looks)" ]
}
churn() { # VERB COUNT
  python3 - "$1" "$2" <<'PY'
import sys
for i in range(int(sys.argv[2])):
    print(f"route {sys.argv[1]} 20.{i >> 16}.{i >> 8 & 255}.{i & 255}/32 via 192.0.2.2 proto bgp")
PY
}

check "the host is quiet" wait_for 30 quiet
before=$(resident)
churn add $routes >"$work/add"
churn del $routes >"$work/del"
looked=$(looks)
start=$SECONDS
on ip -batch - <"$work/add"
check "the daemon looks at them" wait_for 20 sh -c "[ \$(grep -c 'looked at the host' '$logs/alpha.log') -gt $looked ]"
check "and is quiet again" wait_for 60 quiet
spent=$((SECONDS - start + 1))
looked=$(($(looks) - looked))
check "$routes new routes were $looked looks in $spent s, not more than one each second" [ $looked -le $spent ]
grown=$(($(resident) - before))
check "the daemon grew by $grown kB" [ $grown -lt 8000 ]
matter=$(grep -o "looked at the host: [0-9]* routes" "$logs/alpha.log" | tail -1 | grep -o '[0-9]*')
check "$matter routes matter to it" [ "$matter" -le 20 ]

looked=$(looks)
start=$SECONDS
end=$((SECONDS + 6))
while [ $SECONDS -lt $end ]; do
  on ip route del 20.0.1.1/32
  on ip route add 20.0.1.1/32 via 192.0.2.2 proto bgp
done
spent=$((SECONDS - start + 1))
check "a flapping route: $(($(looks) - looked)) looks in $spent s" [ $(($(looks) - looked)) -le $spent ]
looked_again() { [ "$(looks)" -gt "$looked" ]; }
check "and one at least, when its time has come" wait_for 60 looked_again
check "what the daemon does is unharmed" ping_beta
check "and it says nothing of it" status_is alpha '[.degraded[] | select(.reason | contains("routes of this host"))] == []'

# What matters among so many is still heard of: a gateway in a network of the map.
jq '.remotePeers[0].allowedIps += ["10.77.0.0/16"]' "$work/maps/alpha.json" >"$work/routed.json"
put_map alpha "$work/routed.json"
routed() { on sh -c 'ip route show 10.77.0.0/16 | grep wt0'; }
check "a network of the map" wait_for 10 routed
on ip route add 20.9.9.9/32 via 10.77.0.9 dev eth0 onlink
refused() { status_is alpha '.routing.refused | any(.reason | contains("a gateway"))'; }
check "is left once it has a gateway of this host" wait_for 60 refused

# More gateways than are kept.
python3 - >"$work/gateways" <<'PY'
for i in range(5000):
    print(f"route add 30.0.{i >> 8}.{i & 255}/32 via 172.16.{i >> 8}.{i & 255} dev eth0 onlink")
PY
on ip -batch - <"$work/gateways"
said() { status_is alpha '.degraded | any(.reason | contains("more than 4096 routes of this host"))'; }
check "too many routes that matter are told" wait_for 60 said

on ip -batch - <"$work/del"
check "down" on wigeon down
