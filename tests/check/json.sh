#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every JSON file parses and repeats no key. Broken ones live in tests/fuzz/corpus or in a
# folder named "bad".
. "$(dirname "$0")/lib.sh"
need python3
files '*.json' | { grep -zvE '^tests/fuzz/corpus/|/bad/' || true; } | xargs -0r python3 -c '
import json, sys

def once(pairs):
    keys = [key for key, _ in pairs]
    twice = {key for key in keys if keys.count(key) > 1}
    if twice:
        raise ValueError(f"repeated keys: {sorted(twice)}")

failed = False
for path in sys.argv[1:]:
    try:
        with open(path, encoding="utf-8") as file:
            json.load(file, object_pairs_hook=once)
    except ValueError as error:
        print(f"{path}: {error}")
        failed = True
sys.exit(failed)
'
