# SPDX-License-Identifier: GPL-2.0-or-later
"""One QEMU process: how it is started, spoken to and ended.

Control line, test log and QMP are socket pairs made before QEMU starts: no path to clean up, no
port to race for. QEMU dies with us, whatever ends us.
"""
import json
import os
import shutil
import socket
import subprocess
import time
from dataclasses import dataclass

from .output import Failure
from .paths import RUN
from .paths import kernel as kernel_dir

MAC = "52:54:00:00:00:01"
IN_SIZE, OUT_SIZE = 512 << 20, 256 << 20  # part of the snapshot: the guest knows them

# mitigations=off: page table isolation is dear under emulation. no_timer_check: on a loaded host
# the guest would miss its timer test and stop.
COMMAND_LINE = (
    "console=ttyS0 panic=-1 quiet nokaslr no_timer_check mitigations=off audit=0 apparmor=0 "
    "net.ifnames=0 systemd.unit=test-guest.target systemd.show_status=0")


@dataclass(frozen=True)
class Shape:
    """What a snapshot depends on."""
    kernel: str
    smp: int = 1
    icount: bool = False  # virtual time: idle time passes at once; one CPU, no second machine

    @property
    def name(self):
        return f"{self.kernel}-{'icount' if self.icount else f'smp{self.smp}'}"


def _quote(path):
    return str(path).replace(",", ",,")


def arguments(shape, root, root_mode, netdev, channels):
    """The QEMU command. `channels` are file descriptors: qmp, control, log."""
    tcg, line = ["-accel", "tcg,tb-size=256,thread=multi"], COMMAND_LINE
    if shape.icount:
        tcg = ["-accel", "tcg,tb-size=256", "-icount", "shift=3,sleep=off,align=off"]
        # Time jumps to the next timer also while a disk is waited for: let that be a tick.
        line += " nohz=off"
    qmp, control, log = channels
    boot = kernel_dir(shape.kernel)
    return [
        "qemu-system-x86_64", "-machine", "pc", *tcg, "-smp", str(shape.smp), "-m", "1024",
        # CMPXCHG16B under QEMU 7.2's TCG corrupts the heap of kernel 6.12 within seconds.
        "-cpu", "max,-cx16",
        "-nodefaults", "-display", "none", "-no-reboot",
        "-kernel", str(boot / "vmlinuz"), "-initrd", str(boot / "initrd.gz"),
        "-append", line,
        "-chardev", "file,id=console,path=console.txt", "-serial", "chardev:console",
        "-chardev", f"socket,id=control,fd={control}", "-serial", "chardev:control",
        "-chardev", f"socket,id=log,fd={log}", "-serial", "chardev:log",
        "-chardev", f"socket,id=qmp,fd={qmp}", "-mon", "chardev=qmp,mode=control",
        "-drive", f"if=virtio,format=qcow2,cache=unsafe,file={_quote(root)},{root_mode}",
        "-drive", "if=virtio,format=raw,readonly=on,file=in.ext4",
        "-drive", "if=virtio,format=raw,cache=unsafe,file=out.tar",
        "-netdev", netdev, "-device", f"virtio-net-pci,netdev=net,mac={MAC},romfile=",
    ]


class Qmp:
    def __init__(self, sock):
        sock.settimeout(60)
        self._stream = sock.makefile("rw")
        self._reply()  # the greeting
        self("qmp_capabilities")

    def __call__(self, command, **arguments_):
        message = {"execute": command, "arguments": arguments_}
        self._stream.write(json.dumps(message) + "\n")
        self._stream.flush()
        return self._reply()

    def _reply(self):
        while line := self._stream.readline():
            message = json.loads(line)
            if "error" in message:
                raise Failure(f"qemu: {message['error']['desc']}")
            if "event" not in message:
                return message.get("return", message)
        raise Failure("qemu ended")


class Machine:
    """A running QEMU in a work folder of its own; `with` ends it."""

    def __init__(self, shape, folder, root, root_mode, net=None, incoming=None):
        self.folder = folder
        for file, size in (("in.ext4", IN_SIZE), ("out.tar", OUT_SIZE)):
            with open(folder / file, "ab") as disk:
                disk.truncate(size)
        qmp, self.control, self.log = (socket.socketpair() for _ in range(3))
        theirs = [qmp[1], self.control[1], self.log[1], *filter(None, [net, incoming])]
        netdev = "hubport,id=net,hubid=0"
        if net:
            netdev = f"dgram,id=net,local.type=fd,local.str={net.fileno()}"
        argv = arguments(shape, root, root_mode, netdev,
                         [pair[1].fileno() for pair in (qmp, self.control, self.log)])
        if incoming:
            argv += ["-incoming", f"fd:{incoming.fileno()}"]
        with open(folder / "qemu.txt", "w", encoding="utf-8") as errors:
            self.process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "--", *argv], cwd=folder,
                stdin=subprocess.DEVNULL, stdout=errors, stderr=errors,
                pass_fds=[end.fileno() for end in theirs])
        for end in theirs:
            end.close()
        self.control, self.log = self.control[0], self.log[0]
        try:
            self.qmp = Qmp(qmp[0])
            if incoming:
                self._resume()
        except BaseException as why:
            self.end()
            if isinstance(why, (Failure, OSError)):
                raise Failure(f"{self._last_words() or why}") from why
            raise

    def _resume(self):
        limit = time.monotonic() + 30
        while self.qmp("query-status")["status"] == "inmigrate":
            if time.monotonic() > limit:
                raise Failure("qemu: restoring the snapshot takes more than 30 s")
            time.sleep(0.005)
        self.qmp("cont")

    def _last_words(self):
        lines = (self.folder / "qemu.txt").read_text(errors="replace").split("\n")
        return next((line for line in reversed(lines) if line.strip()), "")

    def say(self, line):
        self.control.sendall(line.encode() + b"\n")

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()


def work_folder(name, pid):
    """build/vm/run/NAME.PID; first sweeps those whose process is gone."""
    RUN.mkdir(parents=True, exist_ok=True)
    for old in RUN.iterdir():
        owner = old.name.rpartition(".")[2]
        if owner.isdigit() and not os.path.exists(f"/proc/{owner}"):
            shutil.rmtree(old, ignore_errors=True)
    folder = RUN / f"{name}.{pid}"
    folder.mkdir()
    return folder
