# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The file system of a test host: an overlay of build/vm/tree whose upper layer is memory. All
# mounts are in the caller's mount namespace, which must be private, and go with it.

_repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
vm_build=$_repo/build/vm

# What a namespace does not confine, our hosts must not have: root in there is root out here. (The
# clock above all: there is one.)
export dropped_capabilities=-sys_time,-sys_module,-sys_rawio,-sys_boot,-syslog

# need_tree: ends with 77 without root; makes the tree if there is none (`vm build --tree` also
# looks whether it is current).
need_tree() {
  [ "$(id -u)" = 0 ] || { echo "needs root for namespaces" >&2 && exit 77; }
  [ -f "$vm_build/tree.key" ] || "$_repo/tests/vm/vm" build --tree
}

# become_test_host NAME IN…: a new root for this process, its /mnt/in filled as in a guest: lib.sh,
# bin (the release build), and each of the files and folders IN. What is written on its
# /dev/console goes to the file $host_console, if set. Ends in /.
become_test_host() {
  local name=$1 base=$vm_build/mnt root=$vm_build/mnt/root
  shift
  mkdir -p "$base"
  mount -n -t tmpfs -o mode=755 host "$base"
  mkdir "$base/upper" "$base/work" "$root"
  # Relative: a path with a comma or colon in it would be read as options.
  (cd "$vm_build" && mount -n -t overlay host mnt/root \
    -o lowerdir=tree,upperdir=mnt/upper,workdir=mnt/work)
  _mount_api_file_systems "$root"
  _make_devices "$root/dev"
  _bind_inputs "$root/mnt/in" "$@"
  echo "$name" > "$root/etc/hostname"
  hostname "$name"
  tr -d - < /proc/sys/kernel/random/uuid > "$root/etc/machine-id"

  cd "$root" || return
  mkdir .old
  pivot_root . .old
  umount -n -l /.old
  rmdir /.old
  cd /
}

_mount_api_file_systems() {
  local root=$1 file
  mount -n -t tmpfs -o mode=755 run "$root/run"
  mount -n -t tmpfs -o mode=1777 tmp "$root/tmp"
  mount -n -t sysfs -o ro sysfs "$root/sys"
  mount -n -t proc proc "$root/proc"
  # systemd-sysctl and others would set the machine's; only those of our network are ours.
  mount -n --bind "$root/proc/sys/net" "$root/mnt"
  for file in sys sysrq-trigger; do
    [ -e "$root/proc/$file" ] || continue
    mount -n --bind "$root/proc/$file" "$root/proc/$file"
    mount -n -o remount,bind,ro "$root/proc/$file"
  done
  mount -n --move "$root/mnt" "$root/proc/sys/net"
}

_make_devices() {
  local dev=$1 node
  mount -n -t tmpfs -o mode=755 dev "$dev"
  mkdir "$dev/net" "$dev/shm" "$dev/pts"
  for node in null zero full random urandom tty net/tun; do
    [ -e "/dev/$node" ] || continue
    : > "$dev/$node"
    mount -n --bind "/dev/$node" "$dev/$node"
  done
  : > "$dev/console"
  [ -z "${host_console-}" ] || mount -n --bind "$host_console" "$dev/console"
  mount -n -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts "$dev/pts"
  ln -s pts/ptmx "$dev/ptmx"
  ln -s /proc/self/fd "$dev/fd"
  ln -s fd/0 "$dev/stdin"
  ln -s fd/1 "$dev/stdout"
  ln -s fd/2 "$dev/stderr"
}

_bind_inputs() {
  local in=$1 source target
  shift
  mkdir -p "$in"
  for source in "$_repo/tests/vm/lib.sh" "$_repo/build/release/bin" "$@"; do
    target=$in/${source##*/}
    if [ -d "$source" ]; then
      mkdir -p "$target"
    elif [ -e "$source" ]; then
      : > "$target"
    else
      continue
    fi
    mount -n --bind "$source" "$target"
    mount -n -o remount,bind,ro "$target"
  done
}
