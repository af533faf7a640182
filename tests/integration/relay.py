# SPDX-License-Identifier: GPL-3.0-or-later
"""
A TCP relay between a client and a server, for the ways in which a network
fails without a word:

    relay = Relay(server.port)
    ... connect to relay.port ...
    relay.silent = True     # nothing passes any more, nothing is closed
    relay.cut()             # every connection is reset now
    relay.cut_after(5000)   # when so many more bytes came from the server
    relay.target = other    # for connections from now on

A relay without a target (None) accepts and never answers.
"""

import selectors
import socket
import struct
import threading

CHUNK = 65536
RESET = struct.pack("ii", 1, 0)     # SO_LINGER: close by RST


class Relay:
    def __init__(self, target=None, host="127.0.0.1"):
        self.target = target
        self.silent = False
        self.accepted = 0
        self._left = None           # bytes until the cut
        self._pairs = {}            # socket to its peer, or None
        self._servers = set()       # the ends towards the target
        self._lock = threading.Lock()
        self._listener = socket.create_server((host, 0), backlog=1024)
        self.port = self._listener.getsockname()[1]
        self._wake, self._woken = socket.socketpair()
        self._stop = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def cut(self):
        with self._lock:
            for end in list(self._pairs):
                self._reset(end)

    def cut_after(self, size):
        self._left = size

    def connections(self):
        """Clients that are connected."""
        with self._lock:
            return len(self._pairs) - len(self._servers)

    def close(self):
        self._stop = True
        self._wake.send(b"x")
        self._thread.join(10)
        self.cut()
        for end in (self._listener, self._wake, self._woken):
            end.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # What follows runs in the relay's thread, but for _reset().

    def _reset(self, end):
        """Close a connection's two ends; the lock is held."""
        for one in (end, self._pairs.get(end)):
            if one is not None and self._pairs.pop(one, False) is not False:
                self._servers.discard(one)
                try:
                    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                finally:
                    one.close()

    def _accept(self):
        client, _ = self._listener.accept()
        self.accepted += 1
        if self.target is None:
            with self._lock:
                self._pairs[client] = None
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 10)
        except OSError:
            client.close()
            return
        with self._lock:
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                end.settimeout(10)
            self._pairs[client], self._pairs[server] = server, client
            self._servers.add(server)

    def _pass(self, end):
        peer = self._pairs.get(end)
        if peer is None:
            return
        counts = end in self._servers and self._left is not None
        try:
            data = end.recv(CHUNK)
            peer.sendall(data[:self._left] if counts else data)
        except OSError:
            data = b""
        if counts:
            self._left -= len(data)
            if self._left <= 0:
                self._left, data = None, b""
        if not data:
            self._reset(end)

    def _run(self):
        while not self._stop:
            with selectors.DefaultSelector() as selector:
                selector.register(self._woken, selectors.EVENT_READ)
                selector.register(self._listener, selectors.EVENT_READ)
                with self._lock:
                    for end, peer in self._pairs.items():
                        if peer is not None and not self.silent:
                            selector.register(end, selectors.EVENT_READ)
                # Short, since a test may change what is to be done.
                ready = [key.fileobj for key, _ in selector.select(0.05)]
            for end in ready:
                if end is self._listener:
                    self._accept()
                elif end is not self._woken:
                    with self._lock:
                        self._pass(end)
