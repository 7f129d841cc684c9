#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Answers on ports 80 and 8080, TCP and UDP, with the address it was asked from; or asks.

  answer.py ADDRESS        "::": every address of both families; another one: UDP only
  answer.py --ask ADDRESS PORT [udp|tcp] [SOURCE]    prints the answer
"""

import select
import socket
import sys


def family(address):
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def listener(address, port, kind):
    s = socket.socket(family(address), kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    if kind == socket.SOCK_STREAM:
        s.listen(16)
    return s


def answer(address):
    kinds = [socket.SOCK_DGRAM] + ([socket.SOCK_STREAM] if address == "::" else [])
    sockets = [listener(address, port, kind) for port in (80, 8080) for kind in kinds]
    while True:
        for s in select.select(sockets, [], [])[0]:
            try:
                if s.type == socket.SOCK_STREAM:
                    c, peer = s.accept()
                    c.sendall(peer[0].removeprefix("::ffff:").encode() + b"\n")
                    c.close()
                else:
                    _, peer = s.recvfrom(2048)
                    s.sendto(peer[0].removeprefix("::ffff:").encode() + b"\n", peer)
            except OSError as e:
                print(e, file=sys.stderr, flush=True)


def ask(address, port, how="tcp", source=None):
    kind = socket.SOCK_DGRAM if how == "udp" else socket.SOCK_STREAM
    s = socket.socket(family(address), kind)
    s.settimeout(2)
    if source:
        s.bind((source, 0))
    s.connect((address, int(port)))
    if kind == socket.SOCK_DGRAM:
        s.send(b"who am I\n")
    print(s.recv(2048).decode().strip())


if sys.argv[1] == "--ask":
    ask(*sys.argv[2:])
else:
    answer(sys.argv[1])
