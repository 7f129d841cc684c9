# SPDX-License-Identifier: GPL-2.0-or-later
"""Every test with all its cases on every kernel, as processes of their own, as many at once as there are CPUs."""
import os
import signal
import subprocess

from . import kernel, snapshot
from .machine import Shape
from .output import say
from .paths import RESULTS, VM
from .run import Test


def _finish_one(running):
    pid, status = os.wait()
    job = next(job for job in running if job[0].pid == pid)
    process, test, name, log = job
    process.returncode = os.waitstatus_to_exitcode(status)
    running.remove(job)
    word = {0: "ok", 77: "skipped"}.get(process.returncode, "FAILED")
    say(f"{name:5} {test:20} {word}" + (f" (see {log})" if word == "FAILED" else ""))
    return word


def run(tests, kernels):
    """0 when nothing failed. The logs are kept in build/vm/out/matrix."""
    tests = [Test.find(test) for test in tests] or Test.all()
    kernels = kernels or kernel.names()
    for name in kernels:
        snapshot.ensure(Shape(name))
    folder = RESULTS / "matrix"
    folder.mkdir(parents=True, exist_ok=True)
    running, words = [], []
    try:
        for name, test in [(name, test) for name in kernels for test in tests]:
            while len(running) >= (os.cpu_count() or 1):
                words.append(_finish_one(running))
            log = folder / f"{test.name}-{name}.txt"
            with open(log, "w", encoding="utf-8") as file:
                running.append((subprocess.Popen(
                    [VM / "vm", "run", test.source, "--full", "--kernel", name],
                    stdin=subprocess.DEVNULL, stdout=file, stderr=file), test.name, name, log))
        while running:
            words.append(_finish_one(running))
    finally:
        for process, *_ in running:
            process.send_signal(signal.SIGTERM)
        for process, *_ in running:
            process.wait()
    say(", ".join(f"{words.count(word)} {word}" for word in ("ok", "skipped", "FAILED")))
    return 1 if "FAILED" in words else 0
