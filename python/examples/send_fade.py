"""Fades a channel from the identity to black and white, as a grading program would: `python send_fade.py [CHANNEL
[PORT]]`."""

import sys

import numpy as np
import numpy.typing as npt

from virtual_gpu_lut_box import LutRefusedError, send_lut


def identity(size: int) -> npt.NDArray[np.float32]:
    """The LUT that changes nothing, indexed [r, g, b]."""
    axis = np.linspace(0, 1, size, dtype=np.float32)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)


def main() -> None:
    channel = sys.argv[1] if len(sys.argv) > 1 else None
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 8089
    colour = identity(33)
    grey = np.broadcast_to(colour @ np.array([[0.2126], [0.7152], [0.0722]], np.float32), colour.shape)
    try:
        for amount in np.linspace(0, 1, 25, dtype=np.float32):
            send_lut(colour + amount * (grey - colour), channel, port=port)
    except LutRefusedError as error:
        sys.exit(f"refused: {error}")
    print("sent 25 LUTs")


if __name__ == "__main__":
    main()
