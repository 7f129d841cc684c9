#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sources, scripts and CMake files begin with their licence; scripts after the "#!" line.
. "$(dirname "$0")/lib.sh"
spdx='SPDX-License-Identifier: GPL-2.0-or-later'
while IFS= read -r -d '' file; do
  case $file in tests/fuzz/corpus/*) continue ;; esac
  { IFS= read -r first && IFS= read -r second; } <"$file" 2>/dev/null || true
  case $file:${first-} in
    *:'#!'*) line=${second-} ;;
    *.cc:* | *.hh:* | *.c:* | *.h:* | *.py:* | *.sh:* | *.cmake:* | *CMakeLists.txt:*)
      line=${first-}
      ;;
    *) continue ;;
  esac
  case $line in
    "// $spdx" | "# $spdx" | "/* $spdx */") ;;
    *) complain "$file:1" "no \"$spdx\"" ;;
  esac
done < <(files .)
[ -f LICENSE ] || complain LICENSE "missing"
finish
