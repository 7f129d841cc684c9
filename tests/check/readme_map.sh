#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The network map that the README shows is one that we take.
set -euo pipefail
wigeon=${WIGEON_BUILD:-build/dev}/bin/wigeon
[ -x "$wigeon" ] || { echo "SKIP: needs $wigeon"; exit 77; }
map=$(mktemp)
trap 'rm -f "$map"' EXIT
# shellcheck disable=SC2016  # backquotes of Markdown
sed -n '/^```json$/,/^```$/p' README.md | sed '1d;$d' >"$map"
"$wigeon" map check "$map" | sed "s|$map|README.md|"
