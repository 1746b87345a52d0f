"""Streams of textures, and the platforms' ways to share them."""

from virtual_gpu_lut_box.gpu_texture_stream.base import StreamingBackend
from virtual_gpu_lut_box.gpu_texture_stream.factory import StreamingFactory

__all__ = ["StreamingBackend", "StreamingFactory"]
