#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tidy.sh [--all | FILE…]: clang-tidy 19 as the tidy preset compiles. By default over the files
# changed since HEAD~, at most so many that it stays quick; what is left out is said.
. "$(dirname "$0")/lib.sh"
need clang-tidy-19 clang++-19 cmake ninja
most=4

sources=()
case ${1-} in
  --all) mapfile -d '' sources < <(files 'agent/*.cc' 'bpf/*.cc' 'netlink/*.cc' 'dns/*.cc') ;;
  '')
    # Without a parent (first commit, shallow clone) everything has changed.
    since=$(own_git rev-parse -q --verify HEAD~ || own_git hash-object -t tree /dev/null)
    mapfile -t changed < <({
      own_git diff --name-only "$since" -- agent bpf netlink dns
      own_git ls-files --others --exclude-standard -- agent bpf netlink dns
    } | sed -n 's/\.\(cc\|hh\)$//p' | sort -u)
    for stem in "${changed[@]}"; do
      if [ -f "$stem.cc" ]; then sources+=("$stem.cc"); fi
    done
    if [ "${#sources[@]}" -gt "$most" ]; then
      echo "$((${#sources[@]} - most)) of ${#sources[@]} changed files left out; --all takes them"
      sources=("${sources[@]:0:most}")
    fi
    ;;
  *) sources=("$@") ;;
esac
[ "${#sources[@]}" -gt 0 ] || { echo "no source has changed"; exit 0; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Tests have precompiled headers, which would have to be built first.
{ cmake --preset tidy -DWIGEON_TESTS=OFF && cmake --build build/tidy --target skeletons; } \
  >"$log" 2>&1 || { cat "$log"; exit 1; }
printf '%s\0' "${sources[@]}" |
  xargs -0 -n 1 -P "$(nproc)" clang-tidy-19 --quiet --warnings-as-errors='*' -p build/tidy 2>"$log" ||
  { grep -v 'warnings generated\|Suppressed\|Use -header-filter' "$log"; exit 1; }
echo "${#sources[@]} files without findings"
