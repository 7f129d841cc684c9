#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What a user, a file or a machine can get wrong: each has one defined outcome, and nothing is
# left half-configured.
# shellcheck source=tests/netns/lib.sh
. "$(dirname "$0")/lib.sh"
for tool in jq wg python3; do command -v $tool >/dev/null || skip "needs $tool"; done

hosts_with_maps
map=$work/maps/alpha.json
on() { host_run alpha "$@"; }
no_wt0() { ! on ip link show wt0; }
running() { status_is alpha .; }

# Without privilege and without a daemon.
check_exit 3 "status without a daemon says so" on wigeon status
check_said "and how to start it" "systemctl start wigeond"
check_exit 4 "wigeond without privilege" on setpriv --reuid=65534 --regid=65534 --clear-groups wigeond
check_said "and why" "CAP_NET_ADMIN"
check_exit 2 "an unknown command" on wigeon statsu
check_said "with a suggestion" "status"
check_exit 2 "an unknown flag of the daemon" on wigeond --no-such-flag

# Settings.
try_config() { # EXIT SENTENCE JSON TEXT
  printf '%s' "$3" | on sh -c 'cat > /etc/wigeon/config.json'
  check_exit "$1" "$2" on wigeond
  check_said "$2: named" "$4"
  check "$2: nothing on the host" no_wt0
}
try_config 7 "an unknown setting" '{"mtuu": 1280}' '/mtuu'
try_config 7 "a port out of range" '{"wireguardPort": 65536}' '/wireguardPort'
try_config 7 "a setting given twice" '{"mtu": 1280, "mtu": 1300}' '/mtu'
try_config 7 "no JSON" '{"mtu": ' 'config.json'
printf '{"dns":{"redirect":"bind"}}' | on sh -c 'cat > /etc/wigeon/config.json'

# The key.
key=/var/lib/wigeon/private.key
[ -e "$(on sh -c 'ls /var/lib/wigeon/*.key' | sed 's|^|/proc/'"${host_pid[alpha]}"'/root|')" ] || failed "no key file"
key=$(on sh -c 'ls /var/lib/wigeon/*.key')
on chmod 0644 "$key"
check_exit 7 "a key file that others can read" on wigeond
check_said "is named, with what to do" "chmod 0600"
on chmod 0600 "$key"

# A second daemon, and the socket of a dead one.
daemon_start alpha
check "alpha is up" on wigeon up --wait --timeout 15
check_exit 9 "a second daemon" on wigeond
check_said "says that there is one" "another daemon"
check "and the first one does not mind" running
daemon_kill alpha KILL
check "the dead daemon's socket is still there" on test -S /run/wigeon/wigeon.sock
check_exit 3 "and status says that nobody answers" on wigeon status
daemon_start alpha
check "the next daemon takes its place" on wigeon up --wait --timeout 15

# Maps. The good one stays in force whatever comes.
peer_is_there() { on wg show wt0 peers | grep -q "$(cat "$work/keys/beta.pub")"; }
refused() { # SENTENCE TEXT: the map in place is refused with this, and the old one holds
  said() { status_json alpha | jq -r .map.error | grep -qF -- "$1"; }
  check "$1" wait_for 5 said "$2"
  check "$1: the old one stays" peer_is_there
}
good_again() {
  serial=$((${serial:-1} + 1))
  jq ".Serial = \"$serial\"" "$map" >"$work/good.json"
  put_map alpha "$work/good.json"
  fine() { status_is alpha ".map.error == \"\" and .map.serial == $serial"; }
  check "a good map is taken again" wait_for 5 fine
}
put_text() {
  cat >"$work/bad.json"
  put_map alpha "$work/bad.json"
}
printf '' | put_text
refused "an empty map" "empty"
good_again
printf 'garbage' | put_text
refused "garbage" "line 1"
good_again
head -c 300 "$map" | put_text
refused "half a map" "network_map.json"
good_again
python3 -c 'print("{\"a\":" + "[" * 100000)' | put_text
refused "100,000 brackets" "nested"
good_again
python3 -c 'print("{\"a\":\"" + "x" * 100_000_000 + "\"}")' | put_text
refused "100 MB" "larger than"
good_again
jq '.remotePeers += [.remotePeers[0]]' "$map" | put_text
refused "a peer twice" "/remotePeers/1"
good_again
jq '.remotePeers[0].wgPubKey = "short"' "$map" | put_text
refused "a broken key" "/remotePeers/0/wgPubKey"
good_again
jq '.Serial = "1"' "$map" | put_text
refused "an older serial" "serial"
good_again
on rm /etc/wigeon/network_map.json
refused "a missing map" "network_map.json"
daemon_kill alpha TERM
daemon_start alpha
check "a start without a source goes on with the last good map" wait_for 10 status_is alpha '.map.stale and .daemonStatus == "Connected"'
good_again

# Clients.
half_request() {
  on python3 - <<'PY'
import socket, time
s = [socket.socket(socket.AF_UNIX) for _ in range(5)]
for c in s:
    c.connect("/run/wigeon/wigeon.sock")
    c.sendall(b'{"id":1,"meth')
s[0].close()
t = socket.socket(socket.AF_UNIX)
t.connect("/run/wigeon/wigeon.sock")
t.sendall(b'{"id":7,"method":"version","params":{}}\n')
t.settimeout(5)
assert b'"id":7' in t.recv(4096)
PY
}
check "half a request does not keep others waiting" half_request
garbage_request() {
  on python3 - <<'PY'
import os, socket
for junk in (b"\n", b"{}\n", b"[1,2]\n", os.urandom(4096) + b"\n", b"[" * 50000 + b"\n", b'{"id":1,"method":"nope","params":{}}\n'):
    s = socket.socket(socket.AF_UNIX)
    s.connect("/run/wigeon/wigeon.sock")
    s.sendall(junk)
    s.settimeout(10)
    assert b"error" in s.recv(65536), junk[:20]
PY
}
check "garbage is answered with an error" garbage_request
check_exit 4 "another user may not ask" on setpriv --reuid=65534 --regid=65534 --clear-groups wigeon status
check "the daemon is well after all that" running
daemon_kill alpha TERM

# Somebody else has port 53.
on python3 -c '
import os, socket, time
held = []
for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        s = socket.socket(family, kind)
        if family == socket.AF_INET6: s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        s.bind((address, 53))
        if kind == socket.SOCK_STREAM: s.listen()
        held.append(s)
open("/run/holder", "w").write(str(os.getpid()))
time.sleep(120)' &
wait_for 5 on test -s /run/holder
daemon_start alpha
check "without port 53 the tunnel is up all the same" on wigeon up --wait --timeout 15
check_exit 6 "but not ready" on wigeon status --check ready
check_said "and says which port" ":53"
on kill "$(on cat /run/holder)"
check "once it is free, the names are back" wait_for 40 on wigeon status --check ready
daemon_kill alpha TERM

# Machines that lack something. beta has not been started yet.
# Two seconds of back-off are three attempts at most, or four when one was about to begin.
few_attempts() {
  local gone
  gone=$(host_run beta timeout 2 ip -o monitor link | grep -c 'Deleted.*wt0')
  echo "# $gone attempts in two seconds"
  [ "$gone" -le 4 ]
}
without() { # SENTENCE TEXT [wigeond args]
  local sentence=$1 text=$2
  shift 2
  daemon_start beta "$@"
  check_exit 1 "$sentence: up fails" host_run beta wigeon up --wait --timeout 10
  check_said "$sentence: and says why" "$text"
  check "$sentence: and it is not tried without pause" few_attempts
  # Only then: while it runs it tries again, and a link is there for a moment.
  daemon_kill beta TERM
  check_not "$sentence: nothing half-configured" host_run beta ip link show wt0
}

host_run beta mv /etc/wigeon/network_map.json /etc/wigeon/away
daemon_start beta
check_exit 7 "no map, and never one: up fails" host_run beta wigeon up --wait --timeout 10
check_said "and names the file" "network_map.json"
check_not "nothing is configured" host_run beta ip link show wt0
daemon_kill beta TERM
host_run beta mv /etc/wigeon/away /etc/wigeon/network_map.json

host_run beta ip link add wt0 type veth peer name other
foreign=$(host_run beta ip -o link show wt0)
daemon_start beta
check_exit 1 "a foreign wt0" host_run beta wigeon up --wait --timeout 10
check_said "is named" "not ours"
check "and stays as it was" equal "$(host_run beta ip -o link show wt0)" "$foreign"
check "down does not take it either" host_run beta wigeon down
check "so it is still there" equal "$(host_run beta ip -o link show wt0)" "$foreign"
daemon_kill beta TERM
host_run beta ip link del wt0
host_run beta rm -f /var/lib/wigeon/state.json

host_run beta python3 -c '
import socket, time
a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); a.bind(("0.0.0.0", 51820))
b = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); b.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1); b.bind(("::", 51820))
print("bound", flush=True); time.sleep(60)' >"$work/bound" &
wait_for 5 grep -q bound "$work/bound"
without "the WireGuard port is taken" "51820"

if ! host_run beta ip link add probe type wireguard 2>/dev/null; then
  kernel_wireguard=
else
  kernel_wireguard=yes
  host_run beta ip link del probe
fi
if [ -z "$kernel_wireguard" ]; then
  without "no kernel WireGuard, but asked for" "WireGuard" --tunnel kernel
  host_run beta mount --bind /dev/null /usr/bin/wireguard-go
  without "no WireGuard and no wireguard-go" "wireguard-go"
  host_run beta umount /usr/bin/wireguard-go
  host_run beta mount -t tmpfs tmpfs /dev/net
  without "no /dev/net/tun" "/dev/net/tun"
else
  echo "# this kernel has WireGuard: the cases without it run where it does not"
fi
