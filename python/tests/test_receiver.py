"""Receiver and list_streams: what is being streamed, as arrays."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
from wire import DEADLINE_S, random_lut, same_bits, strip

import virtual_gpu_lut_box as vglb

HERE = vglb.StreamingFactory.is_platform_supported()
needs_platform = pytest.mark.skipif(not HERE, reason="textures can't be shared on this computer")


@pytest.fixture(params=[pytest.param("auto", marks=needs_platform), "memory"])
def backend(request):
    return request.param


@pytest.fixture
def streamer(backend, stream_name):
    streamer = vglb.OpenGradeIOLUTStreamer(stream_name, backend=backend)
    yield streamer
    streamer.stop_streaming()


@pytest.fixture
def receiver(backend, stream_name):
    with vglb.Receiver(stream_name, backend=backend) as receiver:
        yield receiver


def test_a_texture_and_what_is_known_of_it(streamer, receiver, stream_name):
    lut = random_lut(5)
    streamer.process_lut(random_lut(4))
    streamer.process_lut(lut)
    before = time.time()
    assert receiver.wait(DEADLINE_S) is True
    texture = receiver.frame()
    assert same_bits(texture, strip(lut))
    assert (receiver.revision, receiver.lut_size, receiver.layout) == (2, 5, "vglb")
    assert receiver.format == "R32G32B32A32_FLOAT"
    assert before - DEADLINE_S < receiver.published <= time.time()
    assert receiver.stream == stream_name
    assert repr(receiver) == f"Receiver({stream_name!r})"


def test_the_array_is_the_callers_own_and_no_copy_of_another(streamer, receiver):
    lut = random_lut(3)
    streamer.process_lut(lut)
    first = receiver.frame()
    streamer.process_lut(random_lut(3, 1))
    second = receiver.frame()
    assert same_bits(first, strip(lut))
    assert not np.shares_memory(first, second)
    assert first.flags.writeable
    assert first.flags.c_contiguous
    assert first.flags.aligned
    # A view of the memory that the texture was received into.
    assert first.base is not None
    first[...] = 0
    assert same_bits(second, strip(random_lut(3, 1)))


def test_a_lut_comes_back_as_a_lut(streamer, receiver):
    lut = random_lut(7)
    streamer.process_lut(lut)
    assert same_bits(receiver.lut(), lut)
    assert same_bits(receiver.lut(layout="unreal"), lut.transpose(1, 0, 2, 3))


def test_wait_is_for_textures_that_frame_has_not_given(streamer, receiver):
    streamer.process_lut(random_lut(2))
    assert receiver.wait(DEADLINE_S)
    assert receiver.wait(DEADLINE_S)
    receiver.frame()
    assert not receiver.wait(0)
    assert not receiver.wait(0.05)
    receiver.frame()
    streamer.process_lut(random_lut(2))
    assert receiver.wait(DEADLINE_S)


def test_only_the_newest_texture_is_received(streamer, receiver):
    for i in range(10):
        streamer.process_lut(np.full((2, 2, 2, 3), i, np.float32))
    assert receiver.frame()[0, 0, 0] == 9
    assert receiver.revision == 10
    assert not receiver.wait(0)


def test_a_stream_that_is_not_there(receiver, stream_name):
    assert receiver.revision is None
    assert receiver.layout is None
    assert receiver.wait(0) is False
    with pytest.raises(vglb.StreamingError, match="there is no stream"):
        receiver.frame()


def test_waiting_begins_before_the_stream_and_goes_on_after_its_end(streamer, receiver):
    for seed in range(2):
        waited = []
        waiting = threading.Thread(target=lambda waited=waited: waited.append(receiver.wait(DEADLINE_S)))
        waiting.start()
        lut = random_lut(3, seed)
        streamer.process_lut(lut)
        waiting.join()
        assert waited == [True]
        assert same_bits(receiver.frame(), strip(lut))
        streamer.stop_streaming()
        assert receiver.wait(0) is False
        with pytest.raises(vglb.StreamingError):
            receiver.frame()


def test_iterating_gives_each_texture_until_the_stream_ends(streamer, receiver):
    got = []

    def iterate():
        for texture in receiver:
            got.append(texture[0, 0, 0])
            taken.release()

    taken = threading.Semaphore(0)
    thread = threading.Thread(target=iterate)
    thread.start()
    for i in range(5):
        streamer.process_lut(np.full((2, 2, 2, 3), i, np.float32))
        assert taken.acquire(timeout=DEADLINE_S)
    streamer.stop_streaming()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    assert got == [0, 1, 2, 3, 4]


def test_iterating_again_waits_for_the_stream_to_return(streamer, receiver):
    for value in (1, 2):
        streamer.process_lut(np.full((2, 2, 2, 3), value, np.float32))
        for texture in receiver:
            assert texture[0, 0, 0] == value
            streamer.stop_streaming()


def test_async_iteration(streamer, receiver):
    async def receive():
        got = []
        async for texture in receiver:
            got.append(float(texture[0, 0, 0]))
            if len(got) == 3:
                await asyncio.to_thread(streamer.stop_streaming)
            else:
                await asyncio.to_thread(streamer.process_lut, np.full((2, 2, 2, 3), len(got), np.float32))
        return got

    streamer.process_lut(np.zeros((2, 2, 2, 3), np.float32))
    assert asyncio.run(asyncio.wait_for(receive(), DEADLINE_S)) == [0, 1, 2]


def test_async_waiting_can_be_given_up_and_leaves_no_thread(receiver):
    async def receive():
        async for _ in receiver:
            pass

    async def give_up():
        task = asyncio.create_task(receive())
        # The loop is free while the task waits.
        await asyncio.sleep(0)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(task, 0.05)

    before = threading.active_count()
    asyncio.run(give_up())
    until = time.monotonic() + DEADLINE_S
    while threading.active_count() > before and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() == before


def test_an_error_reaches_async_code(receiver):
    async def receive():
        async for _ in receiver:
            pass

    receiver.close()
    with pytest.raises(vglb.StreamingError, match="is closed"):
        asyncio.run(receive())


def test_closing_ends_the_waiting(receiver):
    caught = []

    def wait():
        try:
            receiver.wait()
        except vglb.StreamingError as error:
            caught.append(str(error))

    thread = threading.Thread(target=wait)
    thread.start()
    receiver.close()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    assert "is closed" in caught[0]
    for use in (receiver.wait, receiver.frame, lambda: next(iter(receiver))):
        with pytest.raises(vglb.StreamingError, match="is closed"):
            use()
    receiver.close()


def test_the_list_of_streams(streamer, backend, stream_name):
    assert stream_name not in [s.name for s in vglb.list_streams(backend)]
    streamer.process_lut(random_lut(3))
    streamer.process_lut(random_lut(4), stream_name)
    listed = {s.name: s for s in vglb.list_streams(backend)}
    stream = listed[stream_name]
    assert (stream.width, stream.height, stream.lut_size, stream.layout, stream.revision) == (9, 3, 3, "vglb", 1)
    assert stream.format == "R32G32B32A32_FLOAT"
    assert abs(time.time() - stream.published) < DEADLINE_S
    assert isinstance(stream.sender, str)
    assert listed[f"vglb-lut-{stream_name}"].width == 16
    assert list(listed) == sorted(listed)


def test_a_back_end_that_is_not_here_is_an_error():
    with pytest.raises(vglb.PlatformNotSupportedError, match="spuot"):
        vglb.Receiver("x", backend="spuot")
    with pytest.raises(vglb.PlatformNotSupportedError, match="spuot"):
        vglb.list_streams("spuot")


@needs_platform
def test_another_process_receives_every_bit(stream_name, tmp_path):
    lut = random_lut(33)
    np.save(tmp_path / "lut.npy", lut)
    program = (
        "import sys, numpy, virtual_gpu_lut_box as vglb\n"
        "streamer = vglb.OpenGradeIOLUTStreamer(sys.argv[1])\n"
        "streamer.process_lut(numpy.load(sys.argv[2]))\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, stream_name, tmp_path / "lut.npy"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as sender, vglb.Receiver(stream_name) as receiver:
        assert receiver.wait(DEADLINE_S)
        assert same_bits(receiver.lut(), lut)
        [stream] = [s for s in vglb.list_streams() if s.name == stream_name]
        assert str(sender.pid) in stream.sender
        sender.stdin.close()
        assert sender.wait(DEADLINE_S) == 0
        assert receiver.wait(0) is False


@pytest.mark.skipif(os.name == "nt", reason="a process can't send itself Ctrl-C there")
@pytest.mark.parametrize(
    "waiting",
    [
        "vglb.Receiver('never', backend='memory').wait()",
        "next(iter(vglb.Receiver('never', backend='memory')))",
        "vglb.send_lut(numpy.zeros((2, 2, 2, 3), numpy.float32), port=int(sys.argv[1]), timeout=600)",
        "server.wait()",
        "box.wait()",
    ],
)
def test_ctrl_c_ends_every_kind_of_waiting(waiting, tmp_path):
    program = f"""
import socket, sys, numpy, virtual_gpu_lut_box as vglb
server = vglb.OpenGradeIOServer(port=0, lut_callback=print)
server.start()
box = vglb.VirtualGPULUTBoxServer(port=0, backend="memory")
box.start()
try:
    print("ready", flush=True)
    {waiting}
except KeyboardInterrupt:
    print("interrupted")
"""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        command = [sys.executable, "-W", "error", "-c", program, str(mute.getsockname()[1])]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "ready\n"
            # Whether it has begun to wait cannot be seen from outside; either way Ctrl-C must end it.
            process.send_signal(signal.SIGINT)
            assert process.stdout.read() == "interrupted\n"
            assert process.wait(DEADLINE_S) == 0
