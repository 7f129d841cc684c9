#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# alpha gets map after map while it pings beta, whose entry never changes: first with the daemon
# running, then with the daemon killed at ten random moments. No ping is lost, beta's session is
# the same one at the end, and the device is what the last map says.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
for tool in jq wg; do command -v $tool >/dev/null || skip "needs $tool"; done
updates=${UPDATES:-100}
RANDOM=${SEED:-$$}
echo "# seed ${SEED:-$$}, $updates updates"

hosts_with_maps
both_up
check "they meet" host_run alpha ping -c 1 -W 5 100.64.0.2

for n in $(seq 3 20); do wg genkey | wg pubkey >"$work/keys/extra$n.pub"; done

# Map number N: about half of the extra peers, another half each time.
random_map() {
  local n filter='.'
  for n in $(seq 3 20); do
    [ $((RANDOM % 2)) = 0 ] ||
      filter+=" | .hosts.extra$n = {address: \"100.64.0.$n\", endpoint: \"192.0.2.$((RANDOM % 200 + 10)):51820\"}"
  done
  jq "$filter" "$root/scripts/examples/inventory.json" >"$work/inventory.json"
  make_maps "$1" "$work/inventory.json"
  put_map alpha "$work/maps/alpha.json"
}

handshake() { host_run alpha wg show wt0 latest-handshakes | grep "$(cat "$work/keys/beta.pub")"; }
received() { host_run alpha wg show wt0 transfer | grep "$(cat "$work/keys/beta.pub")" | cut -f2; }
# A peer that was taken away and made again counts from nothing. Its handshake may be another one
# only when a machine is so slow that it was time for the next (REKEY_AFTER_TIME, 120 s).
same_session() {
  [ "$(received)" -ge "$received" ] && { [ $((SECONDS - began)) -gt 110 ] || equal "$(handshake)" "$session"; }
}
device_is_map() {
  equal "$(host_run alpha wg show wt0 dump | tail -n +2 | cut -f1,4 | sort)" \
    "$(jq -r '.remotePeers[] | [.wgPubKey, (.allowedIps | join(","))] | @tsv' "$work/maps/alpha.json" | sort)"
}
serial_is() { status_is alpha ".map.serial == $1"; }

ping_start() {
  host_run alpha ping -i 0.05 -W 2 100.64.0.2 >"$work/ping" 2>&1 &
  ping_pid=$!
}
no_ping_lost() {
  local pid
  pid=$(pgrep -x ping --ns "${host_pid[alpha]}" --nslist pid)
  sleep 0.5 # the last replies
  kill -INT "$pid"
  wait "$ping_pid" || true
  tail -2 "$work/ping" | sed 's/^/# /'
  grep -q ' 0% packet loss' "$work/ping"
}

serial=1
ping_start
session=$(handshake)
received=$(received)
began=$SECONDS
for ((i = 0; i < updates; i++)); do
  serial=$((serial + 1))
  random_map $serial
  [ $((i % 10)) != 9 ] || wait_for 10 serial_is $serial
done
check "the last map is in force" wait_for 10 serial_is $serial
check "the device is the map" wait_for 10 device_is_map
check "no ping was lost" no_ping_lost
check "beta's session is the same" same_session

ping_start
kills=0
for ((i = 0; i < updates; i++)); do
  serial=$((serial + 1))
  random_map $serial
  if [ $((i % (updates / 10))) = $((RANDOM % (updates / 10))) ] || [ $((updates - i)) -le $((10 - kills)) ]; then
    [ $kills -lt 10 ] || continue
    sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
    daemon_kill alpha KILL
    kills=$((kills + 1))
    daemon_start alpha
  fi
done
echo "# killed $kills times"
check "ten kills happened" [ $kills = 10 ]
check "the last map is in force after them" wait_for 20 serial_is $serial
check "the device is the map again" wait_for 10 device_is_map
check "no ping was lost though the daemon died" no_ping_lost
check "beta's session survived" same_session
check "and nothing is left to do" status_is alpha '.degraded | map(select(.severity == "error")) | length == 0'
