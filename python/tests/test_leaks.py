"""What is left behind: nothing."""

import gc
import os
import socket
import subprocess
import sys
import threading
import time

import pytest
from wire import DEADLINE_S, Client, random_lut

import virtual_gpu_lut_box as vglb

HAS_PROC = os.path.isdir("/proc/self/fd")


def open_files():
    return len(os.listdir("/proc/self/fd")) if HAS_PROC else 0


def native_threads():
    return len(os.listdir("/proc/self/task")) if HAS_PROC else threading.active_count()


def assert_settles(count, before, what):
    """A thread that has ended may be listed for a moment longer."""
    until = time.monotonic() + DEADLINE_S
    while count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert count() <= before, what


def cycle_server(streamed):
    server = vglb.OpenGradeIOServer(port=0, lut_callback=streamed.process_lut)
    server.start()
    client = Client(server.addresses[0][1])
    try:
        assert client.set_lut(random_lut(2), "x") == {"result": 1}
        # Half of them with the client still connected.
        if server.addresses[0][1] % 2:
            client.socket.close()
        server.stop()
    finally:
        client.socket.close()
    streamed.stop_streaming()


def cycle_box(_):
    with vglb.VirtualGPULUTBoxServer(port=0, stream_name="leaks", backend="memory") as box:
        client = Client(box.addresses[0][1])
        try:
            assert client.set_lut(random_lut(2)) == {"result": 1}
        finally:
            client.socket.close()


def cycle_receiver(_):
    with vglb.MemoryBackend("leaks", 4, 2) as backend, vglb.Receiver("leaks", backend="memory") as receiver:
        backend.send_texture(vglb.HaldConverter(2).lut_to_hald(random_lut(2)))
        assert receiver.wait(DEADLINE_S)
        receiver.frame()


@pytest.mark.parametrize("cycle", [cycle_server, cycle_box, cycle_receiver])
def test_200_cycles_leave_no_file_and_no_thread(cycle):
    backend = "auto" if vglb.StreamingFactory.is_platform_supported() else "memory"
    streamer = vglb.OpenGradeIOLUTStreamer("leaks", backend=backend)
    gc.collect()
    files, threads, python_threads = open_files(), native_threads(), threading.active_count()
    for _ in range(200):
        cycle(streamer)
    gc.collect()
    assert threading.active_count() == python_threads
    assert_settles(native_threads, threads, "threads")
    assert_settles(open_files, files, "open files")


def test_a_server_that_cannot_start_leaves_nothing():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        files, threads = open_files(), native_threads()
        for _ in range(50):
            with pytest.raises(OSError):
                vglb.OpenGradeIOServer(port=taken.getsockname()[1], lut_callback=print).start()
        assert_settles(native_threads, threads, "threads")
        assert_settles(open_files, files, "open files")
    assert not [t for t in threading.enumerate() if t.name.startswith("vglb")]


def test_luts_are_freed_when_the_callback_lets_go_of_them():
    """20 of 3 MB each; were they kept, 60 MB more."""
    resource = pytest.importorskip("resource")

    def peak():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    with vglb.OpenGradeIOServer(port=0, lut_callback=lambda lut: None) as server:
        client = Client(server.addresses[0][1])
        lut = random_lut(64)
        for _ in range(5):
            client.set_lut(lut)
        before = peak()
        for _ in range(20):
            client.set_lut(lut)
        client.socket.close()
    assert peak() - before < 30_000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_forked_child_ends_well_and_leaves_its_parents_server_alone():
    program = """
import os, sys, warnings
warnings.simplefilter("ignore", DeprecationWarning)
import virtual_gpu_lut_box as vglb, numpy
server = vglb.OpenGradeIOServer(port=0, lut_callback=lambda lut: None)
server.start()
port = server.addresses[0][1]
child = os.fork()
if child == 0:
    assert not server.is_running
    server.stop()
    sys.exit(7)
_, status = os.waitpid(child, 0)
assert os.waitstatus_to_exitcode(status) == 7, status
vglb.send_lut(numpy.zeros((2, 2, 2, 3), numpy.float32), port=port)
server.stop()
print("well")
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    assert (done.stdout, done.stderr, done.returncode) == ("well\n", "", 0)
