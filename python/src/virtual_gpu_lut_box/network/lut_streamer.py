"""Publishes LUTs as textures, each channel as a stream of its own."""

import logging
import threading
from typing import Any

import numpy.typing as npt

from virtual_gpu_lut_box import _logs, _native
from virtual_gpu_lut_box._arrays import lut_float32

logger = logging.getLogger(__name__)


class OpenGradeIOLUTStreamer:
    """Publishes LUTs as 32-bit float textures: those without a channel as the stream `stream_name`, the others as
    `vglb-lut-{channel}`.

    A stream lives from its first LUT until `stop_streaming`. Its LUTs may change their size; receivers stay connected.
    May be used from many threads at once.
    """

    def __init__(
        self, stream_name: str = "OpenGradeIO-LUT", quiet_mode: bool = True, *, backend: str = "auto"
    ) -> None:
        """Streams nothing yet. With `quiet_mode` each LUT is logged as DEBUG, else as INFO. `backend` is "auto" for the
        platform's own way to share textures, or one of "spout", "syphon", "linux", "memory" (this process alone)."""
        self.stream_name = stream_name
        self.quiet_mode = quiet_mode
        self.backend = backend
        self._lock = threading.Lock()
        self._streamer: _native.Streamer | None = None
        self._lut_size: int | None = None

    def process_lut(self, lut_data: npt.NDArray[Any], channel_name: str | None = None) -> bool:
        """Publishes a LUT, and returns True once receivers can have it.

        The LUT is float32 of shape (N, N, N, 3), indexed `[r, g, b]`, or (N, N, N, 4), whose alpha is ignored: a texture's
        alpha is always 1. Every other bit is kept.

        Raises TextureFormatError, which is a ValueError, where the array is no such LUT or holds NaN or infinity;
        PlatformNotSupportedError where textures can't be shared on this computer; StreamingError, which is a
        RuntimeError, where the stream can't be had. The stream then keeps its last LUT.
        """
        lut = lut_float32(lut_data)
        _logs.prepare()
        with self._lock:
            if self._streamer is None:
                self._streamer = _native.Streamer(self.stream_name, self.backend)
            streamer = self._streamer
        try:
            revision = streamer.publish(lut, channel_name or None)
        finally:
            _logs.flush()
        self._lut_size = len(lut)
        level = logging.DEBUG if self.quiet_mode else logging.INFO
        logger.log(level, "channel %r: %d³ LUT published, revision %d", channel_name, len(lut), revision)
        return True

    def stop_streaming(self) -> None:
        """Ends every stream. The next LUT starts anew."""
        with self._lock:
            streamer, self._streamer = self._streamer, None
        if streamer is not None:
            streamer.close()
            _logs.flush()

    @property
    def is_streaming(self) -> bool:
        """Whether there is a stream."""
        return bool(self._channels())

    @property
    def current_lut_size(self) -> int | None:
        """The grid size N of the LUT published last, on whatever channel; None where there was none."""
        return self._lut_size

    def get_status(self) -> dict[str, Any]:
        """`stream_name`, `is_streaming` and `current_lut_size`; `has_converter` and `has_streamer`, which tell whether
        there was a LUT and whether there is a stream; and `channels`: for each a dict of `channel`, `stream`,
        `lut_size`, `revision`, `luts` (how many since it began) and `receivers` (None where nobody can tell)."""
        channels = self._channels()
        return {
            "stream_name": self.stream_name,
            "is_streaming": bool(channels),
            "current_lut_size": self._lut_size,
            "has_converter": self._lut_size is not None,
            "has_streamer": bool(channels),
            "channels": channels,
        }

    def _channels(self) -> list[dict[str, Any]]:
        streamer = self._streamer
        return [] if streamer is None else streamer.status()
