#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# clang-format 14 over every C, C++ and BPF source. Repair: clang-format-14 -i FILE.
. "$(dirname "$0")/lib.sh"
need clang-format-14
files '*.cc' '*.hh' '*.c' '*.h' | xargs -0r clang-format-14 --dry-run -Werror
