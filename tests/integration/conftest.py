# SPDX-License-Identifier: GPL-3.0-or-later
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
from server import Server  # noqa: E402


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
