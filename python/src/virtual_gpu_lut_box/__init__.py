"""A virtual LUT box: receives 3D LUTs over OpenGradeIO and publishes them as 32-bit float GPU textures.

    from virtual_gpu_lut_box import VirtualGPULUTBoxServer

    with VirtualGPULUTBoxServer() as server:
        server.wait()

LUTs are float32 arrays of shape (N, N, N, 3), indexed `[r, g, b]`.
"""

from virtual_gpu_lut_box._errors import (
    InitializationError,
    LutRefusedError,
    PlatformNotSupportedError,
    ServerStartError,
    StreamingError,
    TextureFormatError,
)
from virtual_gpu_lut_box._native import VERSION as __version__
from virtual_gpu_lut_box.gpu_texture_stream.base import StreamingBackend
from virtual_gpu_lut_box.gpu_texture_stream.factory import StreamingFactory
from virtual_gpu_lut_box.gpu_texture_stream.linux import LinuxBackend
from virtual_gpu_lut_box.gpu_texture_stream.memory import MemoryBackend
from virtual_gpu_lut_box.gpu_texture_stream.spout import SpoutBackend
from virtual_gpu_lut_box.gpu_texture_stream.syphon import SyphonBackend
from virtual_gpu_lut_box.lut.apply import apply_lut
from virtual_gpu_lut_box.lut.files import read_cube, write_cube
from virtual_gpu_lut_box.lut.hald_converter import HaldConverter
from virtual_gpu_lut_box.network.lut_streamer import OpenGradeIOLUTStreamer
from virtual_gpu_lut_box.network.protocol import ProtocolHandler
from virtual_gpu_lut_box.network.server import LutCallback, OpenGradeIOServer
from virtual_gpu_lut_box.receiver import Cdl, Receiver, StreamInfo, list_streams
from virtual_gpu_lut_box.sending import send_lut
from virtual_gpu_lut_box.server import VirtualGPULUTBoxServer
from virtual_gpu_lut_box.texture_view import TextureView

__all__ = [
    "Cdl",
    "HaldConverter",
    "InitializationError",
    "LinuxBackend",
    "LutCallback",
    "LutRefusedError",
    "MemoryBackend",
    "OpenGradeIOLUTStreamer",
    "OpenGradeIOServer",
    "PlatformNotSupportedError",
    "ProtocolHandler",
    "Receiver",
    "ServerStartError",
    "SpoutBackend",
    "StreamInfo",
    "StreamingBackend",
    "StreamingError",
    "StreamingFactory",
    "SyphonBackend",
    "TextureFormatError",
    "TextureView",
    "VirtualGPULUTBoxServer",
    "__version__",
    "apply_lut",
    "list_streams",
    "read_cube",
    "send_lut",
    "write_cube",
]
