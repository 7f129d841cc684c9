# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by the checks; they run from the top of the tree.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# The tree may belong to somebody else than who runs the tests.
own_git() { git -c safe.directory='*' "$@"; }

# files PATHSPEC…: NUL-separated; tracked ones, and new ones that git would not ignore.
files() {
  own_git ls-files -z --cached --others --exclude-standard -- "$@" | sort -zu |
    while IFS= read -r -d '' file; do
      # Deleted but still tracked; links are checked where they lead.
      if [ -f "$file" ] && [ ! -L "$file" ]; then printf '%s\0' "$file"; fi
    done
}

skip() {
  echo "SKIP: needs $*"
  exit 77
}
need() {
  local tool
  for tool in "$@"; do command -v "$tool" >/dev/null || skip "$tool"; done
}

bad=0
# complain FILE[:LINE] WHAT
complain() {
  echo "$1: $2"
  bad=$((bad + 1))
}
finish() {
  [ "$bad" -eq 0 ] || { echo "$bad complaints"; exit 1; }
}
