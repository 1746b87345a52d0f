"""OpenGradeIOLUTStreamer: channels as streams."""

import logging
import threading

import numpy as np
import pytest
from wire import random_lut, same_bits, strip

import virtual_gpu_lut_box as vglb


@pytest.fixture(params=["auto", "memory"])
def backend(request):
    if request.param == "auto" and not vglb.StreamingFactory.is_platform_supported():
        pytest.skip("textures can't be shared on this computer")
    return request.param


@pytest.fixture
def streamer(backend, stream_name):
    streamer = vglb.OpenGradeIOLUTStreamer(stream_name, backend=backend)
    yield streamer
    streamer.stop_streaming()


def newest(stream, backend):
    with vglb.Receiver(stream, backend=backend) as receiver:
        return receiver.frame()


def test_every_bit_of_a_lut_is_in_its_texture(streamer, backend, stream_name):
    for size in (2, 16, 33, 65, 17):
        lut = random_lut(size)
        assert streamer.process_lut(lut) is True
        assert streamer.current_lut_size == size
        assert same_bits(newest(stream_name, backend), strip(lut))


def test_the_largest_strip_is_128(streamer, backend, stream_name):
    lut = random_lut(128)
    streamer.process_lut(lut)
    got = newest(stream_name, backend)
    assert got.shape == (128, 16384, 4)
    assert same_bits(got[77, 5 * 128 + 9, :3], lut[77, 9, 5])
    with pytest.raises(vglb.TextureFormatError, match="129"):
        streamer.process_lut(np.zeros((129, 129, 129, 3), np.float32))
    assert same_bits(newest(stream_name, backend), got)


def test_channels_do_not_mix(streamer, backend, stream_name):
    luts = {None: random_lut(5, 1), "a": random_lut(5, 2), "b": random_lut(5, 3), "c": random_lut(7, 4)}
    for channel, lut in luts.items():
        streamer.process_lut(lut, channel)
    for channel, lut in luts.items():
        stream = stream_name if channel is None else f"vglb-lut-{channel}"
        assert same_bits(newest(stream, backend), strip(lut))
    streamer.process_lut(luts["c"], "a")
    assert same_bits(newest("vglb-lut-b", backend), strip(luts["b"]))
    assert same_bits(newest("vglb-lut-a", backend), strip(luts["c"]))


def test_an_empty_channel_name_is_none(streamer, backend, stream_name):
    lut = random_lut(3)
    streamer.process_lut(lut, "")
    assert same_bits(newest(stream_name, backend), strip(lut))


def test_alpha_is_ignored_and_published_as_one(streamer, backend, stream_name):
    lut = random_lut(4)
    with_alpha = np.full((4, 4, 4, 4), np.nan, np.float32)
    with_alpha[..., :3] = lut
    streamer.process_lut(with_alpha)
    assert same_bits(newest(stream_name, backend), strip(lut))


def test_a_refused_lut_leaves_the_last_one_on_its_stream(streamer, backend, stream_name):
    good = random_lut(3)
    streamer.process_lut(good)
    bad = random_lut(3)
    bad[2, 0, 1, 2] = np.inf
    with pytest.raises(vglb.TextureFormatError, match="r=2, g=0, b=1"):
        streamer.process_lut(bad)
    assert streamer.current_lut_size == 3
    assert same_bits(newest(stream_name, backend), strip(good))


def test_status_before_during_and_after(streamer, stream_name):
    assert streamer.is_streaming is False
    assert streamer.current_lut_size is None
    assert streamer.get_status() == {
        "stream_name": stream_name,
        "is_streaming": False,
        "current_lut_size": None,
        "has_converter": False,
        "has_streamer": False,
        "channels": [],
    }
    streamer.process_lut(random_lut(3))
    streamer.process_lut(random_lut(5), "x")
    streamer.process_lut(random_lut(6), "x")
    status = streamer.get_status()
    assert streamer.is_streaming is True
    assert {key: status[key] for key in status if key != "channels"} == {
        "stream_name": stream_name,
        "is_streaming": True,
        "current_lut_size": 6,
        "has_converter": True,
        "has_streamer": True,
    }
    told = [{key: c[key] for key in ("channel", "stream", "lut_size", "revision", "luts")} for c in status["channels"]]
    assert told == [
        {"channel": None, "stream": stream_name, "lut_size": 3, "revision": 1, "luts": 1},
        {"channel": "x", "stream": "vglb-lut-x", "lut_size": 6, "revision": 2, "luts": 2},
    ]
    streamer.stop_streaming()
    assert streamer.is_streaming is False
    assert streamer.get_status()["has_streamer"] is False


def test_stopping_ends_the_streams_and_the_next_lut_starts_anew(streamer, backend, stream_name):
    streamer.stop_streaming()
    streamer.process_lut(random_lut(3, 1))
    streamer.stop_streaming()
    assert stream_name not in [s.name for s in vglb.list_streams(backend)]
    lut = random_lut(4, 2)
    streamer.process_lut(lut)
    assert same_bits(newest(stream_name, backend), strip(lut))


def test_a_stream_that_another_sender_has_is_an_error(streamer, backend, stream_name):
    streamer.process_lut(random_lut(2))
    second = vglb.OpenGradeIOLUTStreamer(stream_name, backend=backend)
    with pytest.raises(vglb.StreamingError, match="already published"):
        second.process_lut(random_lut(2))
    assert second.is_streaming is False


def test_a_channel_name_that_no_stream_can_have_is_an_error(streamer):
    with pytest.raises(vglb.StreamingError, match="2000 bytes long"):
        streamer.process_lut(random_lut(2), "x" * 2000)
    assert streamer.process_lut(random_lut(2), "fine")


def test_a_back_end_that_is_not_here_is_an_error_at_the_first_lut():
    streamer = vglb.OpenGradeIOLUTStreamer("x", backend="no such thing")
    with pytest.raises(vglb.PlatformNotSupportedError, match="no such thing"):
        streamer.process_lut(random_lut(2))
    assert streamer.is_streaming is False


def test_many_threads_publish_at_once(streamer, backend):
    def work(number):
        for i in range(50):
            streamer.process_lut(np.full((5, 5, 5, 3), i, np.float32), f"c{number % 4}")

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [(c["channel"], c["luts"]) for c in streamer.get_status()["channels"]] == [(f"c{i}", 100) for i in range(4)]
    for i in range(4):
        texture = newest(f"vglb-lut-c{i}", backend)
        assert (texture[..., :3] == texture[0, 0, 0]).all()


@pytest.mark.parametrize(("quiet", "level"), [(True, logging.DEBUG), (False, logging.INFO)])
def test_quiet_mode_says_less(backend, stream_name, caplog, capsys, quiet, level):
    streamer = vglb.OpenGradeIOLUTStreamer(stream_name, quiet_mode=quiet, backend=backend)
    with caplog.at_level(logging.DEBUG, "virtual_gpu_lut_box"):
        streamer.process_lut(random_lut(3), "x")
    streamer.stop_streaming()
    [record] = [r for r in caplog.records if "published" in r.message]
    assert record.levelno == level
    assert capsys.readouterr().out == ""


def test_many_luts_in_a_row_do_not_grow_memory(streamer):
    """Each takes 1 MB as a texture: a leak of one in two would be seen."""
    resource = pytest.importorskip("resource")
    lut = random_lut(40)
    for _ in range(10):
        streamer.process_lut(lut)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(100):
        streamer.process_lut(lut)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40_000
