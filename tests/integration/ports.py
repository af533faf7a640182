# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports for programs that can't choose theirs, or keep it over a restart."""

import contextlib
import errno
import random
import socket

FIRST = 10000


def free_port(*kinds, address="127.0.0.1"):
    """A port that nobody has, for each kind of socket (a stream's if none is
    named).  It lies below those that the kernel gives away by itself, so that
    nobody's connection has it when it is listened on."""
    with open("/proc/sys/net/ipv4/ip_local_port_range",
              encoding="ascii") as file:
        end = int(file.read().split()[0])
    while True:
        port = random.randrange(FIRST, end)
        if all(_is_free(kind, (address, port))
               for kind in kinds or (socket.SOCK_STREAM,)):
            return port


def _is_free(kind, address):
    with contextlib.closing(socket.socket(socket.AF_INET, kind)) as probe:
        try:
            probe.bind(address)
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
        return True
