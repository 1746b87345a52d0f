"""What a server does when the terminal that it was started from goes away."""

import os
import select
import signal
import subprocess
import sys
import time

import pytest
from server_process import DEADLINE_S

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such terminals and no SIGHUP")

# Starts the program as the leader of a session whose terminal is descriptor 0, after the signal's action is set.
IN_TERMINAL = """
import fcntl, os, signal, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
signal.signal(signal.SIGHUP, signal.SIG_IGN if sys.argv[1] == "ignore" else signal.SIG_DFL)
os.execv(sys.argv[2], sys.argv[2:])
"""


class InTerminal:
    """A server in a terminal of its own; what it logs goes through a pipe, which outlives the terminal."""

    def __init__(self, vglb, folder, hang_up):
        self.terminal, other = os.openpty()
        words = [vglb, "--port", "0", "--no-state", "--backend", "memory"]
        self.process = subprocess.Popen(
            [sys.executable, "-c", IN_TERMINAL, hang_up, *map(str, words)],
            stdin=other,
            stdout=other,
            stderr=subprocess.PIPE,
            env={**os.environ, "VGLB_RUNTIME_DIR": str(folder)},
        )
        os.close(other)
        self.text = ""
        self.wait_for("listening on")

    def wait_for(self, text):
        end = time.monotonic() + DEADLINE_S
        while text not in self.text:
            ready, _, _ = select.select([self.process.stderr], [], [], max(0, end - time.monotonic()))
            got = os.read(self.process.stderr.fileno(), 4096) if ready else b""
            assert got, f"no {text!r} in {self.text!r}"
            self.text += got.decode()

    def clean_up(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()


@pytest.fixture
def in_terminal(vglb, tmp_path):
    servers = []

    def start(hang_up):
        servers.append(InTerminal(vglb, tmp_path / "streams", hang_up))
        return servers[-1]

    yield start
    for server in servers:
        server.clean_up()


def test_a_server_ends_with_its_terminal(in_terminal):
    server = in_terminal("default")
    server.process.send_signal(signal.SIGHUP)
    server.wait_for("(SIGHUP)")
    os.close(server.terminal)
    assert server.process.wait(DEADLINE_S) == 0


def test_a_server_under_nohup_outlives_its_terminal(in_terminal):
    server = in_terminal("ignore")
    os.close(server.terminal)
    server.wait_for("(SIGHUP)")
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(DEADLINE_S) == 0
