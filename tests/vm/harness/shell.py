# SPDX-License-Identifier: GPL-2.0-or-later
"""A root prompt in a guest, on the control line."""
import contextlib
import os
import select
import shutil
import sys
import termios
import tty

from . import control, snapshot
from .machine import MAC, work_folder
from .output import say
from .run import make_in_disk


@contextlib.contextmanager
def _raw(terminal):
    if not os.isatty(terminal):
        yield
        return
    saved = termios.tcgetattr(terminal)
    tty.setraw(terminal)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSADRAIN, saved)


def _relay(line, terminal):
    # Nothing is sent before the prompt is there: the guest's shell forgets what came earlier.
    os.write(sys.stdout.fileno(), line.recv(65536))
    sources = [line, terminal]
    while True:
        for source in select.select(sources, [], [])[0]:
            if source is line:
                data = line.recv(65536)
                if not data:
                    return
                os.write(sys.stdout.fileno(), data)
            elif data := os.read(terminal, 4096):
                line.sendall(data)
            else:
                sources.remove(terminal)
                line.sendall(b"\nexit\n")


def run(shape, folders):
    snapshot.ensure(shape)
    work = work_folder("shell", os.getpid())
    try:
        make_in_disk(None, folders, work / "in.ext4")
        with snapshot.restore(shape, work) as machine:
            say("`exit` or Ctrl-D ends the guest; /mnt/in holds lib.sh, bin/ and --in folders")
            control.shell(machine, "vm", MAC, shutil.get_terminal_size())
            with _raw(sys.stdin.fileno()):
                _relay(machine.control, sys.stdin.fileno())
    finally:
        shutil.rmtree(work)
    return 0
