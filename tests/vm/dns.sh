# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tests of what a host's resolver is told about ours. The host's own server is behind up0:
#
#   guest: wt0 100.64.0.1/16, up0 192.0.2.1/24 ── wire ── up 192.0.2.53/24: dnsmasq
# shellcheck source=tests/vm/lib.sh
. /mnt/in/lib.sh

uplink_up() {
  host up
  ip link add up0 type veth peer name to_guest netns "t$$-up"
  ip address add 192.0.2.1/24 dev up0
  ip link set up0 up
  in_up ip address add 192.0.2.53/24 dev to_guest
  in_up ip link set to_guest up
}

# dns_server NAME ADDRESS in_HOST|"" RECORD…: logs queries; $server_pid (where there is no host).
# RECORD: --address=/#/10.1.1.1 to answer that to every A query, --host-record=…
dns_server() {
  background ${3:+"$3"} dnsmasq --keep-in-foreground --conf-file=/dev/null --no-resolv --no-hosts \
    --listen-address="$2" --bind-interfaces --pid-file= --user=root --log-queries \
    --log-facility="$VM_OUT/$1.txt" --local-ttl=0 "${@:4}"
  export server_pid=$!
  wait_for 30 ${3:+"$3"} dig +short +tries=1 +timeout=1 "@$2" ready.example
}

# Nobody manages resolv.conf, and there is none.
no_resolved() {
  keep_agent
  systemctl mask --now systemd-resolved > /dev/null 2>&1
  rm -f /usr/sbin/resolvconf /etc/resolv.conf
  rm -rf /run/systemd/resolve
  printf 'hosts: files dns\n' > /etc/nsswitch.conf
}

# As most programs do: through nsswitch and resolv.conf.
lookup() { getent ahostsv4 "$1" | sed -n '1s/ .*//p'; }
resolves() { [ "$(lookup "$1")" = "$2" ]; } # NAME ADDRESS, "" for none

# For the packages in /opt/variants, which cannot be installed together.
unpack() { tar -C "/opt/variants/$1" -cf - . | tar -C / --keep-directory-symlink -xf -; }
remove() {
  (cd "/opt/variants/$1" && find . -type f) | (cd / && xargs rm -f)
  rm -rf /run/resolvconf /etc/resolv.conf /etc/resolvconf
}

# nm_uplink LINE: NetworkManager configures up0; LINE is added to its IPv4.
nm_uplink() {
  ip address flush dev up0
  ip link set up0 down
  install -m 600 /dev/stdin /etc/NetworkManager/system-connections/up0.nmconnection <<- END
	[connection]
	id=up0
	uuid=6d3f1f0e-3c5f-4a37-9f59-0d6a3f7f2c11
	type=ethernet
	interface-name=up0
	[ipv4]
	method=manual
	address1=192.0.2.1/24,192.0.2.254
	dns=192.0.2.53;
	$1
	[ipv6]
	method=disabled
	END
}
# nm_mode dnsmasq|default: from its next start.
nm_mode() {
  cat > /etc/NetworkManager/conf.d/test.conf <<- END
	[main]
	dns=$1
	rc-manager=symlink
	systemd-resolved=false
	no-auto-default=*
	[device-up0]
	match-device=interface-name:up0
	managed=1
	END
}
nm_online() { nmcli -g GENERAL.STATE device show up0 | grep -q '^100'; }
