# SPDX-License-Identifier: GPL-2.0-or-later
"""The host's side of the control line; the guest's is guest/usr/local/sbin/test-agent.

    guest: READY                 the system has started
    host:  GO key=value …        run the test on the in disk
    host:  SHELL key=value …     a prompt on this line
    guest: END status            the test has ended, the out disk is written
"""
import contextlib
import os
import secrets
import selectors
import time

from .output import Failure


def _greeting(host, mac):
    # A clone has its siblings' random state: hence the seed.
    return f"epoch={time.time():.3f} seed={secrets.token_hex(32)} host={host} mac={mac}"


def go(machine, host, mac, limit):
    machine.say(f"GO {_greeting(host, mac)} limit={limit}")


def shell(machine, host, mac, size):
    machine.say(f"SHELL {_greeting(host, mac)} rows={size.lines} columns={size.columns}"
                f" term={os.environ.get('TERM', 'dumb')}")


def wait_for_ready(machine, seconds):
    said = b""
    limit = time.monotonic() + seconds
    while b"READY" not in said:
        machine.control.settimeout(max(0.01, limit - time.monotonic()))
        try:
            part = machine.control.recv(4096)
        except TimeoutError:
            part = b""
        if not part:
            console = (machine.folder / "console.txt").read_text(errors="replace")
            print(console[-4000:])
            raise Failure(f"the guest did not start in {seconds} s (its console is above)")
        said += part


class Guest:
    """One guest under test: its log as it comes, and its status once it has ended."""

    def __init__(self, machine, prefix):
        self.machine = machine
        self.status = None
        self.log = b""
        self._prefix = prefix
        self._said = b""
        self._line = b""

    def on_log(self):
        part = self.machine.log.recv(65536)
        self.log += part
        *lines, self._line = (self._line + part).split(b"\n")
        for line in lines:
            print(self._prefix + line.decode(errors="replace").rstrip("\r"), flush=True)
        return bool(part)

    def on_control(self):
        part = self.machine.control.recv(4096)
        *lines, self._said = (self._said + part).split(b"\n")
        for line in lines:
            word = line.split()
            if len(word) == 2 and word[0] == b"END" and word[1].isdigit():
                self._finish_log()
                self.status = int(word[1])
        return bool(part)

    def _finish_log(self):
        # The guest sent its log out before it said END, so the rest is here already.
        self.machine.log.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while self.on_log():
                pass


def follow(guests, seconds):
    """Prints the logs until every guest has ended (status None: not by itself). False when that
    takes longer than `seconds`."""
    limit = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for guest in guests:
            selector.register(guest.machine.log, selectors.EVENT_READ, (guest, guest.on_log))
            selector.register(guest.machine.control, selectors.EVENT_READ,
                              (guest, guest.on_control))
        running = set(guests)
        while running and (left := limit - time.monotonic()) > 0:
            for event, _ in selector.select(left):
                guest, receive = event.data
                with contextlib.suppress(BlockingIOError):
                    if not receive():  # QEMU has ended
                        selector.unregister(event.fileobj)
                        running.discard(guest)
                if guest.status is not None:
                    running.discard(guest)
        return not running
