# SPDX-License-Identifier: GPL-2.0-or-later
"""What the operator sees: progress lines with the elapsed time, and the ways to fail."""
import sys
import time

_start = time.monotonic()


class Failure(Exception):
    """Ends the command with one line that says what went wrong."""


class Missing(Exception):
    """This machine lacks something; the command ends with 77 (a skipped test) and names it."""


def elapsed():
    return time.monotonic() - _start


def say(text):
    print(f"vm {elapsed():6.1f}s  {text}", file=sys.stderr, flush=True)
