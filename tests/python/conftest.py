"""Fixtures: the built program, and servers that end with the test."""

import os
import sys
from pathlib import Path

import pytest
from server_process import ServerProcess


@pytest.fixture(scope="session")
def vglb():
    """The program `vglb`: the one that VGLB_BIN names, else the one that `cargo build` leaves."""
    name = "vglb.exe" if sys.platform == "win32" else "vglb"
    default = Path(__file__).resolve().parents[2] / "target" / "debug" / name
    program = Path(os.environ.get("VGLB_BIN", default))
    assert program.is_file(), f"{program} is not there; `cargo build` makes it, or VGLB_BIN names another"
    return program


@pytest.fixture
def start_server(vglb):
    """Starts servers, each on a free port: `start_server("--flag", …)`. A server still running at the end of the
    test has to end well."""
    servers = []

    def start(*arguments, environment=None):
        server = ServerProcess([vglb, "--port", "0", "--dashboard", "off", *arguments], environment)
        servers.append(server)
        server.wait_until_listening()
        return server

    yield start
    left_running = [server for server in servers if server.process.poll() is None]
    codes = {server: server.stop() for server in servers}
    assert [codes[server] for server in left_running] == [0] * len(left_running)


@pytest.fixture
def server(start_server):
    """A server on a free port."""
    return start_server()
