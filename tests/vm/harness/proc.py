# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a host command to its end, so that an interrupt leaves no part of it behind."""
import os
import shutil
import signal
import subprocess

from .output import Failure, Missing
from .paths import VM


def need(*tools):
    missing = [tool for tool in tools if not shutil.which(tool)]
    if missing:
        packages = (VM / "host-packages").relative_to(VM.parent.parent)
        raise Missing(f"{', '.join(missing)} not found (packages: {packages})")


def run(*argv, stdin=None, cwd=None):
    """What `argv` printed. A Failure carries its last words."""
    argv = [str(word) for word in argv]
    # A process group of its own: xargs and pipelines die as a whole.
    child = subprocess.Popen(
        argv, cwd=cwd, text=True, process_group=0, close_fds=False,
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        out, err = child.communicate(stdin)
    except BaseException:
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        raise
    if child.returncode != 0:
        # apt prefixes what matters with "E:"; everybody else says it last.
        said = (err.strip() or out.strip() or "no message").splitlines()
        why = next((line for line in said if line.startswith("E: ")), said[-1])
        name = os.path.basename(argv[0])
        raise Failure(f"{name} ended with {child.returncode}: {why.removeprefix('E: ')}")
    return out
