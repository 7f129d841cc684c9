#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Nothing generated, binary or huge is tracked, and nothing that is true of one machine only.
. "$(dirname "$0")/lib.sh"

kMax=$((512 * 1024))
while IFS= read -r -d '' file; do
  case $file in
    build/* | *.o | *.a | *.so | *.pyc | *.gch | *.skel.h | *vmlinux.h | *compile_commands.json)
      complain "$file" "generated"
      ;;
  esac
  if [ "$(stat -c %s "$file")" -gt "$kMax" ]; then complain "$file" "over $kMax bytes"; fi
done < <(files .)

# Corpora of foreign bytes are the exception.
while IFS= read -r file; do
  complain "$file" "binary"
done < <(own_git ls-files --eol --cached --others --exclude-standard |
  awk -F'\t' '$1 ~ /w\/-text/ { print $2 }' | grep -vE '^tests/(fuzz/corpus|[a-z]+/data)/')

# Written so that they do not match themselves.
hosts='(deb|security|snapshot|ftp[a-z.]*)[.]debian[.]org|archive[.]ubuntu[.]com|pypi[.]org'
hosts+='|pythonhosted[.]org|crates[.]io|npmjs[.]org|proxy[.]golang[.]org|docker[.]io|ghcr[.]io'
hosts+='|quay[.]io|gcr[.]io'
paths='(^|[^A-Za-z0-9_.$}-])/([w]ork|[h]ome/[a-z]+)/'
while IFS=: read -r file line _; do
  complain "$file:$line" "name of a package registry, or a path of one machine"
done < <(files . | grep -zv '^tests/fuzz/corpus/' | xargs -0r grep -InE "$hosts|$paths" /dev/null)
finish
