# SPDX-License-Identifier: GPL-3.0-or-later
import itertools
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import dcerpc  # noqa: E402
import even6  # noqa: E402
from publisher import Publisher  # noqa: E402
from server import USERS, Server  # noqa: E402

# Channels that the tests of a module may use up.
CHANNELS = 100


@pytest.fixture
def make_server():
    """A function that makes a server with the tests' users, started."""
    servers = []

    def make(start=True, **options):
        server = Server(**options)
        servers.append(server)
        server.add_users()
        if start:
            server.start()
        return server

    yield make
    for server in servers:
        server.close()


@pytest.fixture
def server(make_server):
    return make_server()


# What follows is for the tests that only talk to a server: a module shares
# one, and each test takes channels that no other test has written to.

@pytest.fixture(scope="module")
def service(request):
    """A server for the module; its CONFIG is added to the configuration."""
    config = getattr(request.module, "CONFIG", "")
    names = "".join(f"[channel Test/{i:03}]\n" for i in range(CHANNELS))
    server = Server(config=names + config)
    try:
        server.add_users()
        server.start()
        yield server
    finally:
        server.close()


@pytest.fixture(scope="module")
def _names():
    return (f"Test/{i:03}" for i in range(CHANNELS))


@pytest.fixture
def channel(_names):
    """The name of an empty channel."""
    return next(_names)


@pytest.fixture
def channels(_names):
    """The names of three empty channels."""
    return list(itertools.islice(_names, 3))


@pytest.fixture(scope="module")
def publisher(service):
    with Publisher(service) as publisher:
        yield publisher


@pytest.fixture
def connect(service):
    """A function that makes a client, which is closed after the test."""
    clients = []

    def connect(user="alice", security=dcerpc.Ntlm, level=dcerpc.PRIVACY,
                **options):
        client = even6.connect(
            "127.0.0.1", service.port,
            security and security(user, USERS[user], level=level), **options)
        clients.append(client)
        return client

    yield connect
    for client in clients:
        client.close()


@pytest.fixture
def client(connect):
    """A client that may read."""
    return connect()
