"""What kinds of arrays are taken, by everything that takes LUTs or textures."""

import numpy as np
import pytest
from wire import random_lut, same_bits, strip

import virtual_gpu_lut_box as vglb

N = 3


def through_the_converter(lut):
    return vglb.HaldConverter(N).lut_to_hald(lut)


@pytest.fixture(params=["convert", "stream", "send"])
def texture_of(request, serve, stream_name, tmp_path):
    """What becomes of a LUT: its texture, made by each of the things that take LUTs."""
    if request.param == "convert":
        yield through_the_converter
    elif request.param == "stream":
        streamer = vglb.OpenGradeIOLUTStreamer(stream_name, backend="memory")

        def stream(lut):
            streamer.process_lut(lut)
            return vglb.Receiver(stream_name, backend="memory").frame()

        yield stream
        streamer.stop_streaming()
    else:
        got = []
        port = serve(got.append).addresses[0][1]

        def send(lut):
            vglb.send_lut(lut, port=port)
            return strip(got.pop())

        yield send


def spread(lut):
    """A view whose memory has gaps."""
    wide = np.zeros((2 * N, 3 * N, N, 8), np.float32)
    wide[::2, ::3, :, ::2][..., :3] = lut
    return wide[::2, ::3, :, ::2][..., :3]


def backwards(lut):
    return np.ascontiguousarray(lut[::-1, :, ::-1])[::-1, :, ::-1]


def read_only(lut):
    copy = lut.copy()
    copy.flags.writeable = False
    return copy


def unaligned(lut):
    memory = np.zeros(lut.nbytes + 1, np.uint8)
    view = memory[1:].view(np.float32).reshape(lut.shape)
    view[...] = lut
    return view


class Subclass(np.ndarray):
    pass


@pytest.mark.parametrize(
    "arrange",
    [
        np.asfortranarray,
        spread,
        backwards,
        read_only,
        unaligned,
        lambda lut: lut.astype(">f4"),
        lambda lut: lut.astype("<f4"),
        lambda lut: lut.transpose(2, 1, 0, 3).copy().transpose(2, 1, 0, 3),
        lambda lut: lut.view(Subclass),
        lambda lut: np.concatenate([lut, lut[..., :1]], axis=-1),
    ],
)
def test_bits_are_kept_whatever_the_memory_looks_like(texture_of, arrange):
    lut = random_lut(N)
    given = arrange(lut)
    before = given.tobytes()
    assert same_bits(texture_of(given), strip(lut))
    assert given.tobytes() == before


def test_float16_becomes_wider_without_loss(texture_of):
    half = np.random.default_rng(1).normal(size=(N, N, N, 3)).astype(np.float16)
    half[0, 0, 0] = [6e-8, -0.0, 65504]
    assert same_bits(texture_of(half), strip(half.astype(np.float32)))


@pytest.mark.parametrize(
    ("dtype", "advice"),
    [
        (np.float64, "rounds it"),
        (np.longdouble, "rounds it"),
        (np.uint8, "/ 255"),
        (np.int32, "scale it"),
        (np.uint16, "/ 65535"),
        (bool, "no real numbers"),
        (np.complex64, "no real numbers"),
        (object, "no real numbers"),
        ("U3", "no real numbers"),
    ],
)
def test_other_types_are_refused_with_what_to_do(texture_of, dtype, advice):
    array = np.zeros((N, N, N, 3), np.float32).astype(dtype)
    with pytest.raises(vglb.TextureFormatError, match=advice) as caught:
        texture_of(array)
    assert "must be float32" in str(caught.value)
    assert str(array.dtype) in str(caught.value)
    assert isinstance(caught.value, ValueError)


@pytest.mark.parametrize(
    "thing", [None, [[[[0.0] * 3] * N] * N] * N, 7, "x", b"x", np.float32(1), np.ma.zeros((N, N, N, 3), np.float32)]
)
def test_what_is_no_plain_array_is_refused(texture_of, thing):
    with pytest.raises(vglb.TextureFormatError, match="plain numpy array"):
        texture_of(thing)


@pytest.mark.parametrize(
    "shape",
    [
        (),
        (0,),
        (81,),
        (N, N, N),
        (N, N, N, 1),
        (N, N, N, 2),
        (N, N, N, 5),
        (N, N, 4, 3),
        (4, N, N, 3),
        (1, 1, 1, 3),
        (0, 0, 0, 3),
        (N, N * N, 4),
        (1, N, N, N, 3),
    ],
)
def test_other_shapes_are_refused_with_the_one_given(texture_of, shape):
    with pytest.raises(vglb.TextureFormatError) as caught:
        texture_of(np.zeros(shape, np.float32))
    assert f"this array's is {shape}" in str(caught.value)
    assert "(N, N, N, 3)" in str(caught.value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_refused_where_they_would_be_published(serve, value):
    lut = np.zeros((N, N, N, 3), np.float32)
    lut[0, 2, 1, 0] = value
    lut[2, 2, 2, 2] = value
    streamer = vglb.OpenGradeIOLUTStreamer("never", backend="memory")
    port = serve(print).addresses[0][1]
    for take in (streamer.process_lut, lambda lut: vglb.send_lut(lut, port=port)):
        with pytest.raises(vglb.TextureFormatError, match="2 of the LUT's entries are NaN or infinite") as caught:
            take(lut)
        assert "r=0, g=2, b=1" in str(caught.value)
    assert not streamer.is_streaming


def test_a_lut_of_257_is_refused():
    with pytest.raises(vglb.TextureFormatError, match="from 2 to 256"):
        vglb.HaldConverter(2).lut_to_hald(np.broadcast_to(np.float32(0), (257, 257, 257, 3)))
