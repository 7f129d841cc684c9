# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Hosts for demo and tests: each one is a network, mount, pid and uts namespace of its own, with
# a private /run, and /etc and /var/lib as overlays on this machine's. Everything lives in the
# namespaces, so ending a host's first process removes it whole; this machine's own network is
# never used, not even for a moment.
#
#   hosts_init DIR            where state and logs go; call once
#   host_make NAME            -> running; its pid in ${host_pid[NAME]}
#   host_join A ADDR B ADDR   veth "eth0" in both, addresses with prefix length, v4 or v6
#   host_run NAME CMD…        run a command there
#   host_start NAME LOG CMD…  the same in the background, with nothing open but its log
#   host_remove NAME / hosts_remove_all

declare -gA host_pid=()

hosts_init() {
  hosts_dir=$1
  mkdir -p "$hosts_dir"
}

# Runs a command that may outlive us: it keeps no descriptor of ours but the first three.
hosts_detached() {
  # shellcheck disable=SC2016  # expanded by that shell
  exec bash -c 'for fd in /proc/self/fd/*; do
    fd=${fd##*/}
    [ "$fd" -le 2 ] || eval "exec $fd>&-"
  done
  exec "$@"' _ "$@"
}

# Runs as the first process of a host, in its namespaces.
host_first_process() {
  local dir=$1 name=$2
  mount -t tmpfs -o mode=755 tmpfs "$dir" || exit 1
  mkdir -p "$dir"/{etc,var}/{up,work}
  mount -t overlay -o "lowerdir=/etc,upperdir=$dir/etc/up,workdir=$dir/etc/work" overlay /etc &&
    mount -t overlay -o "lowerdir=/var/lib,upperdir=$dir/var/up,workdir=$dir/var/work" overlay /var/lib &&
    mount -t tmpfs -o mode=755 tmpfs /run &&
    mount -t sysfs sysfs /sys || exit 1
  mount -t bpf bpf /sys/fs/bpf 2>/dev/null # absent in some containers; bpf is then unavailable
  mkdir -p /run/lock /run/wireguard
  hostname "$name"
  ip link set lo up
  rm -f /etc/resolv.conf
  : >/etc/resolv.conf
  echo ready >"$3"
  # bash reaps what is orphaned here.
  while :; do sleep 3600 & wait; done
}

host_make() {
  local name=$1 dir=$hosts_dir/$1 ready=$hosts_dir/$1.ready i
  mkdir -p "$dir"
  mkfifo "$ready"
  hosts_detached unshare --net --mount --pid --fork --uts --ipc --mount-proc --propagation private --kill-child \
    bash -c "$(declare -f host_first_process); host_first_process \"\$@\"" _ "$dir" "$name" "$ready" \
    </dev/null >"$hosts_dir/$name.console" 2>&1 &
  local outer=$!
  host_outer[$name]=$outer
  if ! read -r -t 10 <>"$ready"; then
    cat "$hosts_dir/$name.console" >&2
    echo "host $name did not start" >&2
    return 1
  fi
  rm -f "$ready"
  for ((i = 0; i < 100; i++)); do
    host_pid[$name]=$(cat "/proc/$outer/task/$outer/children" 2>/dev/null) && break
    sleep 0.02
  done
  host_pid[$name]=${host_pid[$name]%% *}
}
declare -gA host_outer=()

host_join() {
  local a=$1 a_address=$2 b=$3 b_address=$4
  nsenter -t "${host_pid[$a]}" -n ip link add eth0 type veth peer name eth0 netns "${host_pid[$b]}"
  host_run "$a" ip address add "$a_address" dev eth0
  host_run "$b" ip address add "$b_address" dev eth0
  host_run "$a" ip link set eth0 up
  host_run "$b" ip link set eth0 up
}

host_run() {
  local name=$1
  shift
  nsenter -t "${host_pid[$name]}" -n -m -p -u -i -- "$@"
}

host_start() {
  local name=$1 log=$2
  shift 2
  hosts_detached nsenter -t "${host_pid[$name]}" -n -m -p -u -i -- "$@" </dev/null >>"$log" 2>&1 &
  disown # or bash would tell of its end, which comes with the host's
}

host_remove() {
  local name=$1
  [ -n "${host_outer[$name]:-}" ] || return 0
  # --kill-child: with unshare goes the host's first process, and with that all others there.
  kill -9 "${host_outer[$name]}" 2>/dev/null || true
  wait "${host_outer[$name]}" 2>/dev/null || true
  unset "host_outer[$name]" "host_pid[$name]"
}

hosts_remove_all() {
  local name
  for name in "${!host_outer[@]}"; do host_remove "$name"; done
  [ -z "${hosts_dir:-}" ] || rm -rf "$hosts_dir"
}
