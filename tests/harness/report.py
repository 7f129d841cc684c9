#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What happened in each level, from the JUnit files that ctest wrote.

A Catch2 program counts with each of its test cases, any other test as one. The last line is
"N passed, N failed, N skipped"; the exit code is 1 when anything failed, or was skipped in CI
without being allowed to.
"""
import argparse
import dataclasses
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

ALL_PASSED = re.compile(r"^All tests passed \(.* in (\d+) test cases?\)", re.M)
SOME_FAILED = re.compile(r"^test cases: +\d+(?: \| +(\d+) passed)? \| +(\d+) failed", re.M)


@dataclasses.dataclass
class Test:
    name: str
    passed: int
    failed: int
    reason: str  # of a skip; empty otherwise
    output: str


def skip_reason(output):
    """What the test says is missing: its line "SKIP: …", or the last one it printed."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    said = [line for line in lines if re.match(r"skip\b", line, re.I)]
    line = (said or lines or ["gives no reason"])[-1]
    return re.sub(r"^skip(ped)?[: ]*", "", line, flags=re.I)


def read_case(case):
    name, status = case.get("name"), case.get("status")
    output = case.findtext("system-out") or ""
    skipped = case.find("skipped")
    # Without SKIP_… it could not be started at all.
    if skipped is not None and skipped.get("message", "").startswith("SKIP_"):
        return Test(name, 0, 0, skip_reason(output), output)
    if status == "disabled":
        return Test(name, 0, 0, "disabled", output)
    if status == "run":
        cases = ALL_PASSED.search(output)
        return Test(name, int(cases.group(1)) if cases else 1, 0, "", output)
    cases = SOME_FAILED.search(output)
    if cases:
        return Test(name, int(cases.group(1) or 0), int(cases.group(2)), "", output)
    return Test(name, 0, 1, "", f"{output}\n(ended after {float(case.get('time')):.1f} s)")


def read_level(path):
    """None when ctest did not live to write its file."""
    try:
        return [read_case(case) for case in ElementTree.parse(path).getroot().iter("testcase")]
    except (OSError, ElementTree.ParseError):
        return None


def read_allowed(path):
    lines = path.read_text().splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith("#")}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--logs", type=pathlib.Path, required=True)
    parser.add_argument("--allowed", type=pathlib.Path, required=True)
    parser.add_argument("--ci", action="store_true")
    parser.add_argument("--narrowed", action="store_true", help="not all tests were asked for")
    parser.add_argument("levels", nargs="+")
    args = parser.parse_args()
    allowed = read_allowed(args.allowed)

    passed = failed = skipped = 0
    table, broken, skips, complaints = [], [], [], []
    for level in args.levels:
        tests = read_level(args.logs / f"{level}.xml")
        seconds = (args.logs / f"{level}.seconds").read_text().strip()
        if tests is None:
            complaints.append(f"{level}: ctest ended early, see test-{level}.log")
            tests = [Test("ctest", 0, 1, "", "")]
        if not tests and args.ci and not args.narrowed:
            complaints.append(f"{level}: no tests")
            failed += 1
        level_skips = [test for test in tests if test.reason]
        counts = (sum(t.passed for t in tests), sum(t.failed for t in tests), len(level_skips))
        passed, failed, skipped = (
            passed + counts[0], failed + counts[1], skipped + counts[2])
        table.append((level, *map(str, counts), f"{seconds} s") if tests
                     else (level, "no tests", "", "", f"{seconds} s"))
        broken += [test for test in tests if test.failed]
        for test in level_skips:
            skips.append(f"{test.name}: {test.reason}")
            if args.ci and skips[-1] not in allowed:
                complaints.append(f"{skips[-1]}: skipped, which allowed-skips does not allow")
                failed, skipped = failed + 1, skipped - 1

    for test in broken:
        print(f"\n--- {test.name} ---")
        print("\n".join(test.output.strip().splitlines()[-60:]))
    print(f"\n{'level':8}{'passed':>9}{'failed':>9}{'skipped':>9}{'time':>9}")
    for row in table:
        print(f"{row[0]:8}" + "".join(f"{cell:>9}" for cell in row[1:]))
    if skips:
        print("\nskipped, for want of:")
        print("\n".join(f"  {line}" for line in skips))
    if broken or complaints:
        print("\nfailed:")
        print("\n".join(f"  {line}" for line in [t.name for t in broken] + complaints))
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
