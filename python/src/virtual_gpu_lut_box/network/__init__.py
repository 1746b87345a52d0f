"""The OpenGradeIO server, and what publishes its LUTs."""

from virtual_gpu_lut_box.network.lut_streamer import OpenGradeIOLUTStreamer
from virtual_gpu_lut_box.network.protocol import ProtocolHandler
from virtual_gpu_lut_box.network.server import OpenGradeIOServer

__all__ = ["OpenGradeIOLUTStreamer", "OpenGradeIOServer", "ProtocolHandler"]
