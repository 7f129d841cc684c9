# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A cgroup of our own below the caller's, so that a systemd we start cannot reach the machine's.
# cgroup2 is mounted for a moment in a mount namespace of its own, wherever the machine has it.

cgroup_of_caller() {
  sed -n 's/^0:://p' /proc/self/cgroup
}

# cgroup_run PATH COMMAND…: becomes COMMAND in the cgroup PATH, with the cgroup as the root of all
# it can see. Needs a mount namespace of its own; leaves cgroup2 mounted nowhere in it.
cgroup_run() {
  local path=$1
  shift
  if ! mount -n -t cgroup2 cgroup2 /sys/fs/cgroup; then
    echo "cannot mount cgroup2" >&2
    exit 77
  fi
  mkdir "/sys/fs/cgroup$path"
  echo 0 > "/sys/fs/cgroup$path/cgroup.procs"
  umount -n /sys/fs/cgroup
  exec unshare --cgroup "$@"
}

# cgroup_remove PATH: with everything below it; all processes in it must have ended.
cgroup_remove() {
  # shellcheck disable=SC2016  # the inner shell expands
  unshare --mount --propagation private sh -c '
    mount -n -t cgroup2 cgroup2 /sys/fs/cgroup
    [ ! -d "/sys/fs/cgroup$1" ] || find "/sys/fs/cgroup$1" -depth -type d -exec rmdir {} +
  ' sh "$1"
}
