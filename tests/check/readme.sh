#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The top level holds exactly what it should, and each folder of the layout explains itself.
. "$(dirname "$0")/lib.sh"

top=(CMakeLists.txt CMakePresets.json README.md ARCHITECTURE.md CONTRIBUTING.md LICENSE
  agent bpf netlink dns tests scripts)
for name in "${top[@]}"; do
  [ -n "$(own_git ls-files --cached --others --exclude-standard -- "$name" | head -n 1)" ] ||
    complain "$name" "missing at the top level"
done
while IFS= read -r name; do
  case " ${top[*]} " in
    *" $name "*) ;;
    *) [[ $name == .* ]] || complain "$name" "does not belong at the top level" ;;
  esac
done < <(own_git ls-files --cached --others --exclude-standard | cut -d/ -f1 | sort -u)

# Boxes and levels, and deeper folders that are boxes too.
for folder in agent agent/* bpf netlink dns dns/os tests tests/* scripts scripts/ansible; do
  case $folder in tests/unit | tests/harness) continue ;; esac
  # A folder that only has its CMakeLists.txt has nothing to explain yet.
  own_git ls-files --cached --others --exclude-standard -- "$folder" 2>/dev/null |
    grep -qv '/CMakeLists\.txt$' || continue
  [ -d "$folder" ] || continue
  [ -s "$folder/README.md" ] || complain "$folder/README.md" "missing"
done
finish
