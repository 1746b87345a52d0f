"""The harness itself: what the other tests trust it with. Small programs stand in for the server."""

import os
import sys

import pytest
from server_process import ServerProcess

LISTENS = """
import os, signal, time
def end(*_):
    raise SystemExit(0)
signal.signal(signal.SIGBREAK if os.name == "nt" else signal.SIGINT, end)
print("starting in", os.environ["VGLB_RUNTIME_DIR"])
print("listening on 127.0.0.1:4711 (--host 0.0.0.0 opens it to the network)", flush=True)
while True:
    time.sleep(1)
"""


def run(program):
    return ServerProcess([sys.executable, "-c", program])


def test_the_port_is_read_and_the_process_ends_with_its_folder():
    server = run(LISTENS)
    assert server.wait_until_listening() == 4711
    assert server.runtime_dir.is_dir()
    assert f"starting in {server.runtime_dir}" in server.output
    assert server.stop() == 0
    assert not server.runtime_dir.exists()


def test_two_servers_have_different_folders():
    one, other = run(LISTENS), run(LISTENS)
    assert one.runtime_dir != other.runtime_dir
    for server in (one, other):
        server.wait_until_listening()
        server.stop()


def test_a_server_that_ends_before_it_listens_fails_with_its_own_words():
    server = run("import sys; sys.exit('port 8089 is in use')")
    with pytest.raises(AssertionError, match="port 8089 is in use"):
        server.wait_until_listening()
    assert server.stop() == 1


def test_waiting_for_output_ends_with_the_process():
    server = run("print('a client has connected')")
    server.wait_for_output("client has connected")
    with pytest.raises(AssertionError, match="did not print 'gone'"):
        server.wait_for_output("gone")
    server.stop()


def test_a_killed_server_leaves_its_folder_until_it_is_stopped():
    server = run(LISTENS)
    server.wait_until_listening()
    server.kill()
    assert server.runtime_dir.is_dir()
    assert server.stop() != 0
    assert not server.runtime_dir.exists()


def test_the_environment_reaches_the_server():
    server = ServerProcess(
        [sys.executable, "-c", "import os; print('level', os.environ['LEVEL'])"], {"LEVEL": "debug", **os.environ}
    )
    server.wait_for_output("level debug")
    server.stop()
