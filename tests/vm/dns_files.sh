# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests of the host managers that work on files: `dns_manager` (in /mnt/in/guest) runs one; wt0
# is any link with our address, up0 one to the host's own server. Runs in a guest and in tests/host.
# shellcheck source=tests/vm/lib.sh
. /mnt/in/lib.sh

export DNS_STATE=/var/lib/wigeon ASAN_OPTIONS=detect_leaks=0
mkdir -p "$DNS_STATE"

no_resolved() {
  if [ -d /run/systemd/system ]; then
    keep_agent
    systemctl stop systemd-resolved
  fi
  rm -f /usr/sbin/resolvconf /etc/resolv.conf
  rm -rf /run/systemd/resolve
  printf 'hosts: files dns\n' > /etc/nsswitch.conf
}

links_up() {
  host up
  ip link add up0 type veth peer name to_guest netns "t$$-up"
  ip address add 192.0.2.1/24 dev up0
  ip link set up0 up
  in_up ip address add 192.0.2.53/24 dev to_guest
  in_up ip link set to_guest up
  ip link add wt0 type veth peer name wt0_far netns "t$$-up"
  ip address add 100.64.0.1/16 dev wt0
  ip link set wt0 up
  in_up ip link set wt0_far up
}

# dns_server NAME ADDRESS ANSWER [in_HOST]: answers ANSWER to every A query; $server_pid.
dns_server() {
  background "${@:4}" dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts \
    --listen-address="$2" --bind-interfaces --pid-file= --user=root --address="/#/$3" \
    --log-facility="$VM_OUT/$1.txt"
  export server_pid=$!
  wait_for 10 "${@:4}" dig +short +tries=1 +timeout=1 "@$2" ready.example
}

# manager KIND [PATH]: starts one; `tell` talks to it.
manager() {
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
}
kill_manager() {
  kill -KILL "$manager_pid"
  wait "$manager_pid" 2> /dev/null || :
  exec {commands}>&-
}
alive() { kill -0 "$manager_pid"; }

status() { grep '"applied"' "$VM_OUT/manager.txt" | tail -n1 | jq -r "$@"; }
is() { [ "$(status "$1")" = true ]; }
applied() { is '.applied and .settled'; }
noted() { grep -qF -- "$1" "$VM_OUT/manager.txt"; }
lookup() { getent ahostsv4 "$1" | awk '{ print $1; exit }'; }
ours_first() { [ "$(awk '$1 == "nameserver" { print $2; exit }' "${1:-/etc/resolv.conf}")" = 100.64.0.1 ]; }
