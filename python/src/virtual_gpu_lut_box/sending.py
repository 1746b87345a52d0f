"""Sending LUTs, as a grading program does."""

from typing import Any

import numpy.typing as npt

from virtual_gpu_lut_box import _native
from virtual_gpu_lut_box._arrays import lut_float32


def send_lut(
    lut: npt.NDArray[Any],
    channel: str | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 8089,
    timeout: float = 5.0,
    entry_order: str = "blue-fastest",
) -> None:
    """Sends a LUT to an OpenGradeIO server, and returns once the server says that it is in force.

    The LUT is float32 of shape (N, N, N, 3), indexed `[r, g, b]`, or (N, N, N, 4), whose alpha is ignored. `channel` is the
    request's `instance`. `timeout`, in seconds, is for connecting and then for each step. `entry_order` is the order in
    which entries are listed on the wire: "blue-fastest" or "red-fastest", as the server reads them. Ctrl-C gets through.

    Raises TextureFormatError, which is a ValueError, where the array is no such LUT or holds NaN or infinity;
    LutRefusedError, with the server's words, where it refuses the LUT; ConnectionError where there is no server or the
    connection breaks; TimeoutError where the server does not answer.
    """
    _native.send_lut(lut_float32(lut), channel, host, port, timeout, entry_order)
