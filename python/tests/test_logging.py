"""The library's log in `logging`."""

import logging
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from wire import DEADLINE_S, random_lut

import virtual_gpu_lut_box as vglb


class Keep(logging.Handler):
    """Keeps records, and can be waited for."""

    def __init__(self):
        super().__init__()
        self.records = []
        self._changed = threading.Condition()

    def emit(self, record):
        with self._changed:
            self.records.append(record)
            self._changed.notify_all()

    def wait_for(self, part):
        def found():
            return next((r for r in self.records if part in r.getMessage()), None)

        with self._changed:
            assert self._changed.wait_for(found, DEADLINE_S), f"{part!r} was never logged"
            return found()


@pytest.fixture
def keep():
    package = logging.getLogger("virtual_gpu_lut_box")
    handler, level = Keep(), package.level
    package.addHandler(handler)
    yield handler
    package.removeHandler(handler)
    package.setLevel(level)


def test_records_are_ones_of_logging(keep, serve, connect):
    logging.getLogger("virtual_gpu_lut_box").setLevel(logging.INFO)
    client = connect(serve())
    begun = time.time()
    client.set_lut(random_lut(2), "x")
    record = keep.wait_for("refused")
    assert record.name == "virtual_gpu_lut_box.server.connection"
    assert (record.levelno, record.levelname) == (logging.WARNING, "WARNING")
    assert record.getMessage().startswith("127.0.0.1:")
    assert begun - DEADLINE_S < record.created < time.time()
    assert 0 <= record.msecs < 1000
    assert record.filename == "connection.rs"
    assert record.lineno > 0
    assert record.threadName.startswith("vglb 127.0.0.1:")
    assert logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s").format(record)
    connected = keep.wait_for("connected")
    assert (connected.name, connected.levelno) == ("virtual_gpu_lut_box.events", logging.INFO)


def test_percent_signs_are_no_formats(keep, serve, connect):
    connect(serve()).set_lut(random_lut(2), "100 %s %d")
    assert "100 %s %d" in keep.wait_for("refused").getMessage()


def test_the_level_may_change_at_any_time(keep, serve, connect):
    package = logging.getLogger("virtual_gpu_lut_box")
    package.setLevel(logging.WARNING)
    client = connect(serve(print))
    client.set_lut(random_lut(2))
    assert keep.records == []
    package.setLevel(logging.DEBUG)
    until = time.monotonic() + DEADLINE_S
    while not any("2³ LUT" in r.getMessage() for r in keep.records):
        assert time.monotonic() < until, "the new level was never heeded"
        client.set_lut(random_lut(2))
    assert keep.wait_for("2³ LUT").levelno == logging.DEBUG


def test_all_is_handed_on_once_the_last_server_has_stopped(keep, connect):
    logging.getLogger("virtual_gpu_lut_box").setLevel(logging.DEBUG)
    server = vglb.OpenGradeIOServer(port=0, lut_callback=lambda lut: None)
    server.start()
    client = connect(server)
    for _ in range(20):
        client.set_lut(random_lut(2))
    server.stop()
    assert sum("2³ LUT" in r.getMessage() for r in keep.records) == 20
    assert "left after 20 LUTs" in keep.records[-1].getMessage()
    assert "vglb-log" not in [t.name for t in threading.enumerate()]


def test_a_streamer_without_a_server_logs_too(keep, stream_name):
    logging.getLogger("virtual_gpu_lut_box").setLevel(logging.INFO)
    streamer = vglb.OpenGradeIOLUTStreamer(stream_name, backend="memory")
    streamer.process_lut(random_lut(3))
    assert "started: 3³ as 9×3" in keep.records[0].getMessage()
    # Reds and blues exchanged.
    axis = np.linspace(0, 1, 5, dtype=np.float32)
    swapped = np.stack(np.meshgrid(axis, axis, axis, indexing="ij")[::-1], axis=-1)
    streamer.process_lut(swapped)
    assert any("red-fastest" in r.getMessage() for r in keep.records if r.levelno == logging.WARNING)
    streamer.stop_streaming()


def test_a_handler_that_is_slow_holds_nobody_up(serve, connect):
    """Debug logging into a handler that hangs: replies come all the same."""

    class Hang(logging.Handler):
        def emit(self, record):
            if record.threadName.startswith("vglb 127"):
                hanging.set()
                free.wait(DEADLINE_S)

    hanging, free = threading.Event(), threading.Event()
    package = logging.getLogger("virtual_gpu_lut_box")
    handler = Hang()
    package.addHandler(handler)
    package.setLevel(logging.DEBUG)
    try:
        client = connect(serve(lambda lut: None))
        for _ in range(300):
            assert client.set_lut(random_lut(2)) == {"result": 1}
        assert hanging.wait(DEADLINE_S)
    finally:
        free.set()
        package.removeHandler(handler)
        package.setLevel(logging.NOTSET)


def test_a_handler_may_stop_the_server(connect):
    class Stop(logging.Handler):
        def emit(self, record):
            if "refused" in record.getMessage():
                server.stop()

    server = vglb.OpenGradeIOServer(port=0)
    package = logging.getLogger("virtual_gpu_lut_box")
    handler = Stop()
    package.addHandler(handler)
    try:
        server.start()
        assert connect(server).set_lut(random_lut(2))["result"] == 0
        assert server.wait(DEADLINE_S)
    finally:
        package.removeHandler(handler)
    assert "vglb-log" not in [t.name for t in threading.enumerate() if t.is_alive()]


def test_without_any_set_up_warnings_go_to_stderr():
    program = """
import socket, bson, virtual_gpu_lut_box as vglb
with vglb.OpenGradeIOServer(port=0) as server, socket.create_connection(server.addresses[0]) as client:
    client.sendall(bson.encode({"command": "what"}))
    client.recv(1)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, encoding="utf-8", timeout=DEADLINE_S, check=True
    )
    assert 'unknown command "what"' in done.stderr
    assert "connected" not in done.stderr
