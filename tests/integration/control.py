# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests ask of the service's control interface, idl/control.idl."""

import contextlib
import socket

import dcerpc
import ndr

INTERFACE = ("582834ce-51e2-4c45-9f02-dc962e8d146e", 1)
PUBLISH, STATUS, IMPORT = 0, 1, 3       # opnums


def status(path):
    """The service's state as it tells it on this socket: JSON."""
    rpc = dcerpc.Connection(path, timeout=60)
    with contextlib.closing(rpc):
        rpc.bind(INTERFACE)
        reply = ndr.Reader(rpc.call(STATUS))
        text = reply.unique_string()
        error, rc = reply.u32(), reply.u32()
        reply.end()
        assert (error, rc) == (0, 0)
        # The next one to look does not find this connection.
        rpc.socket.shutdown(socket.SHUT_WR)
        while rpc.socket.recv(4096):
            pass
    return text
