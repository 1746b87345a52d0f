"""Receiver.view: textures where their sender has them."""

import gc
import os
import subprocess
import sys
import threading

import numpy as np
import pytest
from wire import DEADLINE_S, random_lut, same_bits, strip

import virtual_gpu_lut_box as vglb

pytestmark = pytest.mark.skipif(
    not vglb.StreamingFactory.is_platform_supported(), reason="textures can't be shared on this computer"
)
maps = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has memory that can be looked at")


@pytest.fixture
def streamer(stream_name):
    streamer = vglb.OpenGradeIOLUTStreamer(stream_name)
    yield streamer
    streamer.stop_streaming()


@pytest.fixture
def receiver(stream_name):
    with vglb.Receiver(stream_name) as receiver:
        yield receiver


def constant(value, size=3):
    return np.full((size, size, size, 3), value, np.float32)


def test_a_view_has_every_bit_and_counts_as_reading(streamer, receiver):
    lut = random_lut(33)
    streamer.process_lut(random_lut(4))
    streamer.process_lut(lut)
    view = receiver.view()
    assert same_bits(view.texture, strip(lut))
    assert view.intact
    assert (view.revision, view.lut_size, view.layout) == (2, 33, "vglb")
    assert (receiver.revision, receiver.lut_size, receiver.layout) == (2, 33, "vglb")
    assert view.published == receiver.published is not None
    assert repr(view) == "TextureView(1089×33, revision 2)"
    assert not receiver.wait(0)


def test_a_view_cannot_be_written(streamer, receiver):
    streamer.process_lut(random_lut(3))
    view = receiver.view()
    with pytest.raises(ValueError, match="read-only"):
        view.texture[0] = 1
    if not view.is_copy:
        with pytest.raises(ValueError, match="WRITEABLE"):
            view.texture.flags.writeable = True


@maps
def test_a_view_is_no_copy(streamer, receiver):
    streamer.process_lut(random_lut(5))
    first, second = receiver.view(), receiver.view()
    assert not first.is_copy
    assert np.shares_memory(first.texture, second.texture)
    assert not np.shares_memory(first.texture, receiver.frame())
    streamer.process_lut(random_lut(5, 1))
    third = receiver.view()
    # Another slot of the same mapping.
    assert not np.shares_memory(first.texture, third.texture)
    assert first.texture.base.base.obj is third.texture.base.base.obj


@maps
def test_a_view_stays_intact_until_its_sender_writes_over_it(streamer, receiver):
    for value in range(5):
        streamer.process_lut(constant(value))
    view = receiver.view()
    for value in (5, 6):
        streamer.process_lut(constant(value))
        assert view.intact
        assert (view.texture[..., 0] == 4).all()
    streamer.process_lut(constant(7))
    assert not view.intact
    assert (view.texture[..., 0] == 7).all(), "this is what intact is for"
    assert receiver.view().intact
    streamer.process_lut(constant(8))
    assert not view.intact, "once False, it stays so"


@maps
def test_what_was_read_of_an_intact_view_is_never_torn(streamer, receiver):
    streamer.process_lut(constant(0, 17))
    done = threading.Event()

    def stream():
        value = 0
        while not done.is_set():
            value += 1
            streamer.process_lut(constant(value % 1000, 17))

    thread = threading.Thread(target=stream)
    thread.start()
    try:
        intact = 0
        while intact < 200:
            view = receiver.view()
            read = view.texture.copy()
            if view.intact:
                intact += 1
                assert (read[..., :3] == read[0, 0, 0]).all()
    finally:
        done.set()
        thread.join()


def test_a_view_outlives_receiver_stream_and_other_sizes(streamer, stream_name):
    lut = random_lut(4)
    streamer.process_lut(lut)
    receiver = vglb.Receiver(stream_name)
    view = receiver.view()
    streamer.process_lut(random_lut(7))
    other = receiver.view()
    assert same_bits(other.texture, strip(random_lut(7)))
    receiver.close()
    streamer.stop_streaming()
    del receiver, other
    gc.collect()
    assert view.intact
    assert same_bits(view.texture, strip(lut))


def test_an_array_outlives_its_view(streamer, receiver):
    lut = random_lut(6)
    streamer.process_lut(lut)
    texture = receiver.view().texture
    gc.collect()
    assert same_bits(texture, strip(lut))


@maps
def test_a_view_outlives_its_senders_process(stream_name):
    program = (
        "import sys, numpy, virtual_gpu_lut_box as vglb\n"
        "streamer = vglb.OpenGradeIOLUTStreamer(sys.argv[1])\n"
        "streamer.process_lut(numpy.full((9, 9, 9, 3), 0.25, numpy.float32))\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen([sys.executable, "-c", program, stream_name], stdin=subprocess.PIPE) as sender:
        with vglb.Receiver(stream_name) as receiver:
            assert receiver.wait(DEADLINE_S)
            view = receiver.view()
            sender.kill()
            sender.wait(DEADLINE_S)
            assert (view.texture[..., :3] == 0.25).all()
            assert view.intact


@maps
def test_views_leave_no_file_open(streamer, stream_name):
    def open_files():
        return len(os.listdir("/proc/self/fd"))

    streamer.process_lut(random_lut(3))
    before = open_files()
    for size in (3, 5, 3, 6) * 10:
        streamer.process_lut(random_lut(size))
        with vglb.Receiver(stream_name) as receiver:
            for _ in range(3):
                assert receiver.view().texture.shape == (size, size * size, 4)
    gc.collect()
    # The sender keeps the memory of two sizes.
    assert open_files() <= before + 1


def test_there_is_nothing_to_view(receiver):
    with pytest.raises(vglb.StreamingError, match="there is no stream"):
        receiver.view()
    receiver.close()
    with pytest.raises(vglb.StreamingError, match="is closed"):
        receiver.view()


def test_a_view_where_nothing_can_be_mapped_is_a_copy(stream_name):
    lut = random_lut(4)
    streamer = vglb.OpenGradeIOLUTStreamer(stream_name, backend="memory")
    streamer.process_lut(lut)
    with vglb.Receiver(stream_name, backend="memory") as receiver:
        view = receiver.view()
        for seed in range(4):
            streamer.process_lut(random_lut(4, seed))
        assert view.is_copy
        assert view.intact
        assert same_bits(view.texture, strip(lut))
        with pytest.raises(ValueError, match="read-only"):
            view.texture[0] = 1
    streamer.stop_streaming()
