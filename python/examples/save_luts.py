"""Keeps each channel's newest LUT as a .cube file: `python save_luts.py FOLDER [PORT]`. Ctrl-C ends it."""

import re
import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt

from virtual_gpu_lut_box import OpenGradeIOServer, write_cube


class Folder:
    """Where the files go."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def save(self, lut: npt.NDArray[np.float32], channel: str | None) -> None:
        if lut.max() > 16:
            # The grading program is told this, and the LUT counts as refused.
            raise ValueError(f"a value of {lut.max():g} is no grade of ours")
        # A channel's name comes from the network: nothing of it may lead out of the folder.
        name = re.sub(r"[^\w -]", "_", channel or "no channel")
        write_cube(self.path / f"{name}.cube", lut, title=channel)
        print(f"{name}.cube: {len(lut)}³", flush=True)


def main() -> None:
    folder = Folder(Path(sys.argv[1]))
    port = int(sys.argv[2]) if len(sys.argv) > 2 else 8089
    with OpenGradeIOServer(port=port, lut_callback=folder.save) as server:
        print(f"listening on {server.addresses[0][0]}:{server.addresses[0][1]}", flush=True)
        try:
            server.wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    main()
