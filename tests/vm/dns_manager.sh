# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests of one host manager with the real service or program: `dns_manager` runs it (in
# /mnt/in/guest), wt0 is a link as the daemon makes it.
# shellcheck source=tests/vm/dns.sh
. /mnt/in/tests/vm/dns.sh

export DNS_STATE=/var/lib/wigeon
mkdir -p "$DNS_STATE"

# wt0 is WireGuard where the kernel has it; wireguard-go's elsewhere.
link_up() {
  if ! ip link add wt0 type wireguard 2> /dev/null; then
    wireguard-go wt0 > /dev/null 2>&1
  fi
  wg set wt0 listen-port 51999 private-key <(key_of guest) peer "$(key_of far | wg pubkey)" \
    allowed-ips 100.64.0.2/32,fd00:6400::2/128 endpoint 192.0.2.9:51820 persistent-keepalive 25
  addresses_up
}

# wireguard-go ends a moment after its link, and another one refuses to start until then.
link_down() {
  ip link delete wt0
  wait_for 30 fails pgrep -x wireguard-go
}

# As the daemon puts back what somebody takes off.
addresses_up() {
  ip address replace 100.64.0.1/16 dev wt0
  ip -6 address replace fd00:6400::1/64 dev wt0 nodad
  ip link set wt0 up
  ip route replace 10.77.0.0/16 dev wt0 proto 89
  ip -6 route replace fd00:77::/64 dev wt0 proto 89
}

# Past nsswitch, which may have resolved asked directly.
lookup() { getent -s hosts:dns ahostsv4 "$1" | sed -n '1s/ .*//p'; }
ours_first() { [ "$(awk '$1 == "nameserver" { print $2; exit }' "${1:-/etc/resolv.conf}")" = 100.64.0.1 ]; }

# manager KIND [PATH]: starts one; `tell` talks to it, and returns when it has heard: a status
# after that is about what it was told.
manager() {
  told=0
  rm -f "$VM_OUT/commands"
  mkfifo "$VM_OUT/commands"
  : > "$VM_OUT/manager.txt"
  /mnt/in/guest/dns_manager "$@" < "$VM_OUT/commands" >> "$VM_OUT/manager.txt" 2>&1 &
  manager_pid=$!
  _background+=("$manager_pid")
  exec {commands}> "$VM_OUT/commands"
}
tell() {
  say "$*"
  echo "$*" >&"$commands"
  told=$((told + 1))
  wait_for 30 heard
}
heard() { [ "$(grep -c '^{"told"' "$VM_OUT/manager.txt")" = "$told" ]; }
kill_manager() {
  kill -KILL "$manager_pid"
  wait "$manager_pid" 2> /dev/null || :
  exec {commands}>&-
}
alive() { kill -0 "$manager_pid"; }

# The last status, through jq: `status .failure`; `is .applied` is its truth.
status() { grep '"applied"' "$VM_OUT/manager.txt" | tail -n1 | jq -r "$@"; }
is() { [ "$(status "$1")" = true ]; }
applied() { is '.applied and .settled'; }
noted() { grep -F -- "$1" "$VM_OUT/manager.txt"; }

# milliseconds COMMAND…: how long until it succeeds; looks every few milliseconds.
milliseconds() {
  local start=${EPOCHREALTIME/./} end
  end=$((start + 10000000))
  until "$@" > /dev/null 2>&1; do
    ((${EPOCHREALTIME/./} < end)) || { echo 10000 && return; }
    read -rt 0.005 -u "$_never" || :
  done
  echo $(((${EPOCHREALTIME/./} - start) / 1000))
}
