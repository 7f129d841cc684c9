#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Who may include whom: the arrows of ARCHITECTURE.md, and which box owns which foreign library.
. "$(dirname "$0")/lib.sh"

# box → boxes it may include, its own among them
declare -A may=(
  [agent/base]='agent/base'
  [agent/model]='agent/base agent/model'
  [agent/core]='agent/base agent/model agent/core netlink bpf dns'
  [agent/control]='agent/base agent/model agent/control'
  [agent/daemon]='agent/base agent/model agent/core agent/control agent/daemon netlink bpf dns'
  [agent/cli]='agent/base agent/model agent/control agent/cli'
  [netlink]='agent/base netlink'
  [bpf]='agent/base bpf'
  [dns]='agent/base dns'
)
declare -A target=(
  [agent/base]=wigeon_base [agent/model]=wigeon_model [agent/core]=wigeon_core
  [agent/control]=wigeon_control [agent/daemon]=wigeond [agent/cli]=wigeon
  [netlink]=wigeon_netlink [bpf]=wigeon_bpf [dns]=wigeon_dns
)
# foreign headers → the only box that includes them
declare -A owner=([netlink/]=netlink [bpf/]=bpf [ares]=dns)

# Sets $box.
find_box() {
  case $1 in
    agent/*/*) box=${1#agent/} box=agent/${box%%/*} ;;
    *) box=${1%%/*} ;;
  esac
}

declare -A seen skeletons
while IFS=: read -r file line text; do
  find_box "$file"
  from=$box
  seen[$from]=1
  at=$file:$line
  case $text in
    *'"'*'"'*) name=${text#*\"} name=${name%%\"*} quoted=1 ;;
    *'<'*'>'*) name=${text#*<} name=${name%%>*} quoted= ;;
    *) continue ;;
  esac

  case $file in
    bpf/abi/*)
      case $quoted$name in
        linux/types.h | 1bpf/abi/*) ;;
        *) complain "$at" "a contract includes only <linux/types.h> and other contracts, not $name" ;;
      esac
      continue
      ;;
    *.bpf.c | *.bpf.h)
      case $quoted$name in
        linux/* | bpf/bpf_*.h | 1bpf/abi/* | 1bpf/prog/*.bpf.h) ;;
        *) complain "$at" "BPF programs include UAPI, libbpf's helpers and bpf/, not $name" ;;
      esac
      continue
      ;;
  esac

  if [ -z "$quoted" ]; then
    for prefix in "${!owner[@]}"; do
      case $name in
        "$prefix"*) [ "$from" = "${owner[$prefix]}" ] ||
          complain "$at" "<$name> belongs to ${owner[$prefix]}" ;;
      esac
    done
    continue
  fi
  case $name in
    *.skel.h)
      [ -z "${skeletons[$name]+x}" ] || complain "$at" "$name is also in ${skeletons[$name]}"
      skeletons[$name]=$at
      [[ $file == *.cc ]] || complain "$at" "a skeleton is included by a .cc only"
      continue
      ;;
  esac
  [ -f "$name" ] || complain "$at" "no such file from the top of the tree: $name"
  find_box "$name"
  case " ${may[$from]-} " in
    *" $box "*) ;;
    *) complain "$at" "$from may not include $box" ;;
  esac
done < <(files 'agent/*' 'bpf/*' 'netlink/*' 'dns/*' |
  grep -zE '\.(cc|hh|c|h)$' | xargs -0r grep -nE '^[[:space:]]*#[[:space:]]*include' /dev/null)

for box in "${!seen[@]}"; do
  grep -qE "^ *(wigeon_library|wigeon_program|add_library|add_executable)\(${target[$box]}\b" \
    "$box/CMakeLists.txt" || complain "$box/CMakeLists.txt" "makes no target ${target[$box]}"
done
finish
