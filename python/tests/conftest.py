"""Fixtures: clients that know nothing of our code, and servers that end with the test."""

import logging
import os
import shutil
import sys
import tempfile

# Before the package is imported, for it looks there once. A folder with a short name: sockets lie in it.
_runtime_dir = os.environ["VGLB_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="vglb-")

import pytest  # noqa: E402
from wire import Client  # noqa: E402

import virtual_gpu_lut_box as vglb  # noqa: E402


def pytest_sessionfinish(session):
    """On Linux everything can run, so a test that was skipped has failed."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", [])
    if sys.platform == "linux" and skipped:
        reporter.write_line(f"\n{len(skipped)} tests were skipped, and on Linux none may be", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_unconfigure():
    shutil.rmtree(_runtime_dir, ignore_errors=True)


@pytest.fixture(autouse=True)
def logging_as_before():
    """A VirtualGPULUTBoxServer that starts sets levels, and may add a handler."""
    root, package = logging.getLogger(), logging.getLogger("virtual_gpu_lut_box")
    events = logging.getLogger("virtual_gpu_lut_box.events")
    handlers, levels = list(root.handlers), [logger.level for logger in (root, package, events)]
    yield
    root.handlers[:] = handlers
    for logger, level in zip((root, package, events), levels, strict=True):
        logger.setLevel(level)


@pytest.fixture
def serve():
    """Starts an OpenGradeIOServer on a free port: `serve(callback)`. It is stopped when the test is over."""
    servers = []

    def start(callback=None):
        server = vglb.OpenGradeIOServer(port=0, lut_callback=callback)
        server.start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def connect():
    """Connects to a server, or to a port: `connect(server)`."""
    clients = []

    def open_client(server):
        client = Client(server if isinstance(server, int) else server.addresses[0][1])
        clients.append(client)
        return client

    yield open_client
    for client in clients:
        client.socket.close()


@pytest.fixture
def stream_name(request):
    """A stream name of the test's own: streams are seen by all of this computer's programs."""
    return f"test {request.node.name}"[:80]
