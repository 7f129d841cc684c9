# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a test in one guest, or in two that share a wire, and keeps what a failure leaves."""
import contextlib
import os
import shlex
import shutil
import socket
import tarfile
from dataclasses import dataclass, field
from pathlib import Path

from . import control, snapshot
from .image import copy, make_disk
from .machine import IN_SIZE, MAC, work_folder
from .output import Failure, elapsed, say
from .paths import REPO, RESULTS, TESTS, VM

LIMIT_STATUS = 124  # as timeout(1) has it


@dataclass
class Test:
    """What to run: a name in tests/vm/tests, a folder with `run` in it, or a script."""
    name: str
    source: Path
    options: list = field(default_factory=list)  # arguments of `vm run` it always wants

    @staticmethod
    def find(text):
        for path in (TESTS / text, Path(text).resolve()):
            if path.is_file():
                return Test(path.stem, path)
            if (path / "run").is_file():
                options = path / "options"
                return Test(path.name, path,
                            shlex.split(options.read_text(), comments=True)
                            if options.exists() else [])
        raise Failure(f"no test {text}: neither a folder with a file `run` nor a script")

    @staticmethod
    def all():
        return [Test.find(path.parent.name) for path in sorted(TESTS.glob("*/run"))]


def make_in_disk(test, folders, file, full=False):
    """/mnt/in of the guest: test/, lib.sh, bin/ (the release build), each of `folders`, and a file
    `full` when all cases are wanted."""
    stage = file.with_suffix(".stage")
    stage.mkdir()
    copy(VM / "lib.sh", stage / "lib.sh")
    release = REPO / "build/release/bin"
    if release.is_dir():
        copy(release, stage / "bin")
    if test and test.source.is_dir():
        copy(test.source, stage / "test")
    elif test:
        (stage / "test").mkdir()
        copy(test.source, stage / "test/run")
    for folder in folders:
        if not folder.is_dir():
            raise Failure(f"--in {folder}: not a folder")
        shutil.rmtree(stage / folder.name, ignore_errors=True)
        copy(folder, stage / folder.name)
    if full:
        (stage / "full").touch()
    make_disk(stage, file, f"{IN_SIZE >> 20}M")
    shutil.rmtree(stage)


def _unpack(archive, place):
    """Regular files of the guest's tar, which a guest that died has not written."""
    with open(archive, "rb") as file:
        if not any(file.read(512)):  # tarfile would look through all the zeros
            return
    with contextlib.suppress(tarfile.TarError), tarfile.open(archive, "r:") as tar:
        for member in tar:
            target = (place / member.name).resolve()
            if member.isfile() and target.is_relative_to(place.resolve()):
                target.parent.mkdir(parents=True, exist_ok=True)
                with open(target, "wb") as file:
                    shutil.copyfileobj(tar.extractfile(member), file)


def _keep(guest, folder, place):
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    if guest:
        (place / "log.txt").write_bytes(guest.log)
    for name in ("console.txt", "qemu.txt"):
        if (folder / name).exists():
            shutil.copy(folder / name, place / name)
    _unpack(folder / "out.tar", place)


def _report(test, shape, guests, status, in_time, limit):
    what = f"{test.name} on {shape.name}"
    if status == 0:
        say(f"{what}: passed")
    elif status == 77:
        say(f"{what}: skipped")
    elif in_time and any(guest.status is None for guest in guests):
        say(f"{what}: FAILED: the guest died (see console.txt)")
    elif status == LIMIT_STATUS:
        say(f"{what}: FAILED: not finished after {limit} s")
    else:
        say(f"{what}: FAILED with status {status}")


def run(tests, shape, folders, limit, keep, full=False):
    """The status of the test: of `tests[0]` in one guest, or of two tests in two guests."""
    if shape.icount and len(tests) > 1:
        raise Failure("virtual time is for one guest: --pair and --icount exclude each other")
    snapshot.ensure(shape)
    hosts = [("vm", MAC)] if len(tests) == 1 else [("a", MAC[:-2] + "0a"), ("b", MAC[:-2] + "0b")]
    wire = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) if len(tests) > 1 else [None]
    place = RESULTS / f"{tests[0].name}-{shape.name}"
    shutil.rmtree(place, ignore_errors=True)
    guests, works, started = [], [], elapsed()
    with contextlib.ExitStack() as stack:
        for test, (host, _), end in zip(tests, hosts, wire):
            work = work_folder(f"{test.name}-{host}", os.getpid())
            stack.callback(shutil.rmtree, work)
            works.append(work)
            make_in_disk(test, folders, work / "in.ext4", full)
            machine = stack.enter_context(snapshot.restore(shape, work, end))
            guests.append(control.Guest(machine, f"{host}| " if len(tests) > 1 else ""))
        say(f"{tests[0].name} on {shape.name}: guest is up in {elapsed() - started:.2f} s")
        for guest, (host, mac) in zip(guests, hosts):
            # In virtual time the guest's own clock limits nothing (0: none).
            control.go(guest.machine, host, mac, 0 if shape.icount else limit)
        in_time = control.follow(guests, limit + 10 if not shape.icount else limit)
        codes = [LIMIT_STATUS if guest.status is None else guest.status for guest in guests]
        status = next((code for code in codes if code not in (0, 77)), max(codes))
        if keep or status not in (0, 77):
            for guest, work, (host, _) in zip(guests, works, hosts):
                guest.machine.end()
                _keep(guest, work, place / host if len(tests) > 1 else place)
    _report(tests[0], shape, guests, status, in_time, limit)
    if place.exists():
        say(f"what it left: {place.relative_to(REPO)}")
    return status


