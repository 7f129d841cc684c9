# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A picture of a host, to show that nothing of ours is left on it. Source it after lib.sh (or
# anything that has host_run).
#
#   host_snapshot HOST    every part below, as text that is equal when the host is
#   host_settled HOST     no address is tentative; duplicate address detection has its time
#
# Parts: links with their indexes, addresses, rules and routes of all tables (v4, v6), next hops,
# permanent neighbours, qdiscs, XDP programs (in the links), nft with its handles, every file of
# /proc/sys/net, /etc/iproute2, /etc/resolv.conf, bpffs, listening sockets.

# Files of /proc/sys/net that differ between two looks at a host nobody touched, or cannot be read:
#   nf_conntrack_count                       connections of the moment
#   tcp_available_congestion_control,
#   tcp_allowed_congestion_control           modules that anybody in any namespace has loaded
#   route/flush                              write-only
#   stable_secret                            unreadable until it is set
#   tcp_fastopen_key                         drawn by the kernel at the first use
#   fs/, unix/ … are no state of ours but are looked at like everything else
snapshot_volatile='/(nf_conntrack_count|tcp_available_congestion_control|tcp_allowed_congestion_control|route/flush|stable_secret|tcp_fastopen_key)$'

# Runs on the host; $1 is snapshot_volatile.
snapshot_parts() {
  export LC_ALL=C
  part() {
    echo "== $1"
    shift
    "$@" 2>&1 || true
  }
  # shellcheck disable=SC2317  # called by part
  sorted() { "$@" | sort; }
  # A bridge shows its running timers.
  part links sh -c "ip -d link show | sed -E 's/_timer +[0-9.]+/_timer/g'"
  part addresses ip address show
  for family in -4 -6; do
    part "rules $family" ip "$family" rule show
    part "routes $family" sorted ip "$family" -d -o route show table all
    part "proxies $family" ip "$family" neigh show proxy
    part "neighbours $family" ip "$family" neigh show nud permanent
  done
  part "next hops" ip nexthop show
  part qdiscs tc qdisc show
  part nft nft -a -s list ruleset # -s: without counters
  echo "== sysctls"
  # Not grep: the kernel clears as much memory as a read asks for, and grep asks for 96 KiB a file.
  # Nor sed, which stops at the first file that cannot be read.
  # shellcheck disable=SC2016  # expanded by perl
  find /proc/sys/net -type f | grep -Ev "$1" | sort | xargs perl -ne 'print "$ARGV:$_"' 2>/dev/null || true
  echo "== iproute2"
  find /etc/iproute2 -type f 2>/dev/null | sort | xargs -r grep -Hs '' || true
  part "resolv.conf" find /etc/resolv.conf -printf '%y %m %u %g %l\n'
  cat /etc/resolv.conf 2>/dev/null || true
  part bpffs sorted find /sys/fs/bpf -mindepth 1 -printf '%p %y %m\n'
  part listening sorted ss -Hltun
}

host_snapshot() {
  host_run "$1" bash -c "$(declare -f snapshot_parts); snapshot_parts \"\$1\"" _ "$snapshot_volatile"
}

host_settled() { [ -z "$(host_run "$1" ip -6 address show tentative)" ]; }
