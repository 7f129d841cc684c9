#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The checks find what they are for: in a small tree each planted fault is named by its check.
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"
need git python3 clang-format-14 shellcheck

tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
mkdir -p "$tree"/{tests/check,agent/base,agent/cli,bpf/prog,netlink,scripts}
cp "$here"/*.sh "$tree/tests/check/"
cp .clang-format LICENSE "$tree/"
cd "$tree"
git init -q .
spdx='SPDX-License-Identifier: GPL-2.0-or-later'
printf '# %s\nwigeon_library(wigeon_base SOURCES a.cc)\n' "$spdx" >agent/base/CMakeLists.txt
printf '// %s\n#include "agent/base/a.hh"\n' "$spdx" >agent/base/a.cc
printf '// %s\n' "$spdx" >agent/base/a.hh

# clean CHECK
clean() {
  local said
  said=$("tests/check/$1.sh" 2>&1) || complain "$1" "complains about a good tree: $said"
}
# finds CHECK WORDS FILE CONTENT: plants the file, removes it again
finds() {
  local said status=0
  # shellcheck disable=SC2059  # a format, for its \n
  printf "$4" >"$3"
  said=$("tests/check/$1.sh" 2>&1) || status=$?
  rm "$3"
  if [ "$status" -eq 0 ]; then complain "$1" "does not find $3: $2"; fi
  [[ $said == *"$2"* ]] || complain "$1" "says \"$said\" about $3, not \"$2\""
}

for check in format json layers licence no_generated shellcheck; do clean "$check"; done

finds format 'clang-format' agent/base/b.cc "// $spdx\nint   x ;\n"
finds json 'bad.json' agent/base/bad.json '{"a": 1,}'
finds json 'repeated keys' agent/base/bad.json '{"a": 1, "a": 2}'
finds layers 'agent/base/b.cc:2: agent/base may not include netlink' \
  agent/base/b.cc "// $spdx\n#include \"netlink/link.hh\"\n"
finds layers 'no such file' agent/base/b.cc "// $spdx\n#include \"a.hh\"\n"
finds layers '<bpf/bpf.h> belongs to bpf' agent/base/b.cc "// $spdx\n#include <bpf/bpf.h>\n"
finds layers 'makes no target wigeon_netlink' netlink/link.cc "// $spdx\n#include <vector>\n"
finds layers 'BPF programs include' bpf/prog/x.bpf.c "// $spdx\n#include <stdio.h>\n"
finds licence 'b.cc:1' agent/base/b.cc 'int x;\n'
finds licence 'scripts/x:1' scripts/x '#!/bin/sh\necho\n'
finds no_generated 'binary' agent/base/b 'a\0b'
finds no_generated 'generated' agent/base/b.o 'x'
finds no_generated 'README.md:1' README.md 'see https://pypi\x2eorg/\n'
finds no_generated 'README.md:1' README.md "in /wor""k/main\n"
finds shellcheck 'SC2086' scripts/x "#!/bin/sh\n# $spdx\necho \$1\n"
finds readme 'stray: does not belong' stray 'x'
finds readme 'netlink/README.md: missing' netlink/link.cc 'x'
finish
