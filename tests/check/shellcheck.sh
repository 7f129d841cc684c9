#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs shellcheck over everything that says it is a shell script.
. "$(dirname "$0")/lib.sh"
need shellcheck
files . | xargs -0r awk 'FNR == 1 {
    if (/^#!.*[\/ ](ba|da)?sh( |$)/ || FILENAME ~ /\.sh$/) printf "%s%c", FILENAME, 0
    nextfile
  }' | { grep -zv '^tests/fuzz/corpus/' || true; } | xargs -0r shellcheck -x -P SCRIPTDIR:.
