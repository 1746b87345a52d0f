"""StreamingFactory and the streaming back ends."""

import platform

import numpy as np
import pytest
from wire import random_lut, same_bits, strip

import virtual_gpu_lut_box as vglb
from virtual_gpu_lut_box.gpu_texture_stream.factory import StreamingFactory

OWN = {"Windows": vglb.SpoutBackend, "Darwin": vglb.SyphonBackend, "Linux": vglb.LinuxBackend}
HERE = StreamingFactory.is_platform_supported()
needs_platform = pytest.mark.skipif(not HERE, reason="textures can't be shared on this computer")


class Recorder(vglb.StreamingBackend):
    """A back end of a user's own."""

    def initialize(self):
        self._initialized = True

    def send_texture(self, texture_data):
        self.validate_texture_data(texture_data)
        self.sent = texture_data

    def cleanup(self):
        self._initialized = False

    def is_available(self):
        return True

    def get_supported_formats(self):
        return ["rgba"]


@pytest.fixture
def recorder():
    StreamingFactory.register_backend("TestOS", Recorder)
    yield Recorder
    del StreamingFactory._backends["TestOS"]


@pytest.mark.parametrize("kind", [*OWN.values(), vglb.MemoryBackend])
def test_every_back_end_can_be_made_everywhere_and_says_whether_it_works(kind):
    backend = kind("x", 1089, 33)
    assert (backend.name, backend.width, backend.height, backend.initialized) == ("x", 1089, 33, False)
    assert kind("x", 1089, 33, quiet_mode=False).quiet_mode is False
    assert backend.get_supported_formats() == ["rgb", "rgba", "bgr", "bgra"]
    foreign = kind in OWN.values() and kind is not OWN.get(platform.system())
    if foreign:
        assert backend.is_available() is False
        with pytest.raises(vglb.InitializationError, match="can't be started"):
            backend.initialize()
        assert backend.initialized is False
    if kind is vglb.MemoryBackend:
        assert backend.is_available() is True
    backend.cleanup()


@pytest.mark.parametrize("kind", [vglb.MemoryBackend, pytest.param(OWN.get(platform.system()), marks=needs_platform)])
def test_a_texture_is_sent_bit_for_bit_alpha_too(kind, stream_name):
    texture = strip(random_lut(5))
    texture[..., 3] = random_lut(5)[..., 0].reshape(5, 25)
    with kind(stream_name, 25, 5) as backend:
        assert backend.initialized
        assert backend.send_texture(texture) is None
        with vglb.Receiver(stream_name, backend=kind.backend_name) as receiver:
            assert same_bits(receiver.frame(), texture)
            lut = random_lut(5, 1)
            backend.send_lut_texture(vglb.HaldConverter(5).lut_to_hald(lut))
            assert same_bits(receiver.lut(), lut)
            backend.send_texture(np.asfortranarray(texture))
            assert same_bits(receiver.frame(), texture)
    assert not backend.initialized
    assert stream_name not in [s.name for s in vglb.list_streams(kind.backend_name)]
    backend.initialize()
    backend.initialize()
    backend.send_texture(texture)
    backend.cleanup()
    backend.cleanup()


def test_a_hald_clut_is_a_texture_too(stream_name):
    converter = vglb.HaldConverter(4, "hald-clut")
    with vglb.MemoryBackend(stream_name, converter.hald_width, converter.hald_height) as backend:
        lut = random_lut(4)
        backend.send_texture(converter.lut_to_hald(lut))
        assert same_bits(vglb.Receiver(stream_name, backend="memory").lut(), lut)


def test_a_stream_goes_with_its_back_end(stream_name):
    backend = vglb.MemoryBackend(stream_name, 4, 2)
    backend.initialize()
    backend.send_texture(np.zeros((2, 4, 4), np.float32))
    assert stream_name in [s.name for s in vglb.list_streams("memory")]
    del backend
    assert stream_name not in [s.name for s in vglb.list_streams("memory")]


def test_what_was_not_started_cannot_send():
    backend = vglb.MemoryBackend("x", 4, 2)
    for send in (backend.send_texture, backend.send_lut_texture):
        with pytest.raises(RuntimeError, match="initialize"):
            send(np.zeros((2, 4, 4), np.float32))


@pytest.mark.parametrize(("width", "height"), [(100, 200), (1, 1), (33, 1089), (1089, 34)])
def test_textures_that_are_no_luts_cannot_be_started(width, height):
    with pytest.raises(vglb.InitializationError, match="N²×N"):
        vglb.MemoryBackend("x", width, height).initialize()


def test_a_stream_that_somebody_has_cannot_be_started(stream_name):
    with (
        vglb.MemoryBackend(stream_name, 4, 2),
        pytest.raises(vglb.InitializationError, match="already published"),
        vglb.MemoryBackend(stream_name, 4, 2),
    ):
        pass


@pytest.mark.parametrize(
    ("texture", "reason"),
    [
        (np.zeros((2, 5, 4), np.float32), r"\(2, 4, 4\).*\(2, 5, 4\)"),
        (np.zeros((4, 2, 4), np.float32), r"\(2, 4, 4\)"),
        (np.zeros((2, 4, 3), np.float32), r"\(2, 4, 3\)"),
        (np.zeros((2, 4), np.float32), r"\(2, 4\)"),
        (np.zeros((2, 4, 4)), "float64"),
        (np.zeros((2, 4, 4), np.uint8), "uint8"),
        ([[0.0]], "list"),
        (np.full((2, 4, 4), np.nan, np.float32), "32 values .* NaN or infinite, the first in row 0, column 0"),
    ],
)
def test_arrays_that_are_no_texture_of_the_stream_are_refused(texture, reason, stream_name):
    with vglb.MemoryBackend(stream_name, 4, 2) as backend:
        for take in (backend.send_texture, backend.send_lut_texture, backend.validate_texture_data):
            with pytest.raises(vglb.TextureFormatError, match=reason):
                take(texture)
        with pytest.raises(vglb.TextureFormatError, match=reason):
            backend.convert_texture_format(texture, "rgba")


def test_validation_and_conversion():
    backend = vglb.MemoryBackend("x", 4, 2)
    texture = strip(random_lut(2))
    assert backend.validate_texture_data(texture) is True
    for name, order in {"rgb": [0, 1, 2], "RGBA": [0, 1, 2, 3], "bgr": [2, 1, 0], "bgra": [2, 1, 0, 3]}.items():
        converted = backend.convert_texture_format(texture, name)
        assert same_bits(converted, texture[..., order])
        assert not np.shares_memory(converted, texture)
    with pytest.raises(ValueError, match="rgb, rgba, bgr, bgra"):
        backend.convert_texture_format(texture, "yuv")


def test_what_this_platform_has():
    system = platform.system()
    assert StreamingFactory.get_current_platform() == system
    assert StreamingFactory.get_available_backends() == ([system] if HERE else [])
    assert StreamingFactory.is_platform_supported(system) is HERE
    assert StreamingFactory.is_platform_supported("Plan 9") is False
    assert StreamingFactory.list_supported_formats() == (["rgb", "rgba", "bgr", "bgra"] if HERE else [])
    assert StreamingFactory.list_supported_formats("Plan 9") == []
    for other in set(OWN) - {system}:
        assert StreamingFactory.is_platform_supported(other) is False
        assert StreamingFactory.list_supported_formats(other) == []
        with pytest.raises(vglb.PlatformNotSupportedError, match="does not work on this computer"):
            StreamingFactory.create_backend(platform_name=other)
    with pytest.raises(vglb.PlatformNotSupportedError, match="'Plan 9'"):
        StreamingFactory.create_backend(platform_name="Plan 9")
    info = StreamingFactory.get_platform_info()
    assert set(info) == {"system", "release", "version", "machine", "processor", "python_version"}
    assert info["system"] == system
    assert info["python_version"] == platform.python_version()


@needs_platform
def test_the_platforms_own_back_end_is_the_default():
    backend = StreamingFactory.create_backend()
    assert type(backend) is OWN[platform.system()]
    assert (backend.name, backend.width, backend.height) == ("virtual-gpu-lut-box", 1089, 33)
    backend = StreamingFactory.create_lut_streamer()
    assert (backend.name, backend.width, backend.height) == ("virtual-gpu-lut-box", 1089, 33)
    backend = StreamingFactory.create_lut_streamer("x", lut_size=17)
    assert (backend.name, backend.width, backend.height) == ("x", 289, 17)


@pytest.mark.parametrize(("name", "width", "height"), [("", 4, 2), (None, 4, 2), (7, 4, 2), ("x", 0, 2), ("x", 4, -1), ("x", 16385, 2)])
def test_streams_that_cannot_be_are_refused(name, width, height):
    with pytest.raises(ValueError, match="must be a text|texels a side"):
        StreamingFactory.create_backend(name, width, height)


@pytest.mark.parametrize("size", [-1, 0, 1, 129, 257])
def test_lut_sizes_without_a_texture_are_refused(size):
    with pytest.raises(ValueError):
        StreamingFactory.create_lut_streamer("x", size)


def test_a_back_end_of_ones_own(recorder):
    assert "TestOS" in StreamingFactory.get_available_backends()
    assert StreamingFactory.list_supported_formats("TestOS") == ["rgba"]
    backend = StreamingFactory.create_lut_streamer("x", 3, platform_name="TestOS")
    assert isinstance(backend, recorder)
    hald = vglb.HaldConverter(3).lut_to_hald(random_lut(3))
    with pytest.raises(RuntimeError, match="initialize"):
        backend.send_lut_texture(hald)
    with backend:
        backend.send_lut_texture(hald)
        assert backend.sent is hald
    assert not backend.initialized


def test_the_exceptions_are_of_these_kinds():
    assert issubclass(vglb.StreamingError, RuntimeError)
    for kind in (vglb.PlatformNotSupportedError, vglb.InitializationError, vglb.TextureFormatError, vglb.LutRefusedError):
        assert issubclass(kind, vglb.StreamingError)
    assert issubclass(vglb.TextureFormatError, ValueError)
    assert issubclass(vglb.ServerStartError, OSError)
    assert issubclass(vglb.ServerStartError, RuntimeError)
    assert not issubclass(vglb.ServerStartError, vglb.StreamingError)
