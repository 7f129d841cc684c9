# SPDX-License-Identifier: GPL-2.0-or-later
"""A guest that has started and waits, as files: its memory and devices, and what it wrote
on its root disk.

From it a machine is ready in a fifth of a second; a start takes eight under emulation.
"""
import os
import shlex
import shutil
import time
from pathlib import Path

from . import cache, image
from .control import wait_for_ready
from .machine import Machine, arguments, work_folder
from .output import Failure, say
from .paths import OUT, VM, snapshot
from .paths import image as image_file
from .proc import need, run

RECIPE = [VM / "harness/snapshot.py"]


def _cpu():
    # Under plain TCG the guest's time stamp counter is the host's: no moving between machines.
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line for line in lines if line.startswith("model name")), "")


def key(shape):
    command = arguments(shape, "root", "", "", ["", "", ""])
    return cache.key(image.key(shape.kernel), *command, run("qemu-system-x86_64", "--version"),
                     _cpu(), *RECIPE)


def _save(machine, file):
    machine.qmp("stop")
    machine.qmp("migrate-set-parameters", **{"max-bandwidth": 1 << 40})
    machine.qmp("migrate", uri=f"exec:cat > {shlex.quote(str(file))}")
    while (state := machine.qmp("query-migrate").get("status")) != "completed":
        if state in ("failed", "cancelled"):
            raise Failure("qemu could not save the guest's state")
        time.sleep(0.02)
    machine.qmp("quit")
    machine.process.wait(10)


def _build(shape):
    say(f"snapshot {shape.name}: starting the guest")
    new, place = OUT / f"snapshot-{shape.name}.new", snapshot(shape.name)
    for folder in (new, place):
        shutil.rmtree(folder, ignore_errors=True)
    new.mkdir()
    run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw",
        "-b", image_file(shape.kernel), new / "root.qcow2")
    work = work_folder(f"snapshot-{shape.name}", os.getpid())
    try:
        with Machine(shape, work, new / "root.qcow2", "snapshot=off") as machine:
            wait_for_ready(machine, 240)
            say(f"snapshot {shape.name}: saving it")
            _save(machine, new / "state")
    finally:
        shutil.rmtree(work)
    new.rename(place)
    say(f"snapshot {shape.name}: done")


def ensure(shape):
    need("qemu-system-x86_64", "qemu-img", "setpriv")
    image.ensure(shape.kernel)
    cache.ensure(f"snapshot-{shape.name}", key(shape), lambda: _build(shape))


def restore(shape, folder, net=None):
    """A machine that goes on where the snapshot was taken; its root disk forgets all writes."""
    place = snapshot(shape.name)
    with open(place / "state", "rb") as state:
        return Machine(shape, folder, place / "root.qcow2", "snapshot=on", net, state)
