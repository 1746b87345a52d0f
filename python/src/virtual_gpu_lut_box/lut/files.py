"""LUTs in `.cube` files."""

import os
from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from virtual_gpu_lut_box import _native
from virtual_gpu_lut_box._arrays import FloatArray, lut_float32


def read_cube(path: str | os.PathLike[str], *, bake: bool = False, size: int | None = None) -> FloatArray:
    """The 3D LUT in a `.cube` file, of Resolve's or Adobe's dialect: float32 of shape (N, N, N, 3), indexed `[r, g, b]`.

    A file with a 1D LUT, or with a domain other than 0 to 1, only becomes such a LUT by evaluation: `bake=True` does
    that, at the lattice points of a LUT of grid size `size`, by default the file's own and at least 33.

    Raises OSError where the file can't be read; ValueError where it is no such file, with the line and what is wrong.
    """
    return _native.read_cube(os.fspath(path), bake, size)


def write_cube(
    path: str | os.PathLike[str],
    lut: npt.NDArray[Any],
    *,
    title: str | None = None,
    comments: Sequence[str] = (),
    overwrite: bool = True,
) -> None:
    """Writes a LUT as a `.cube` file that reads back to the same bits. The file appears whole or not at all.

    The LUT is float32 of shape (N, N, N, 3), indexed `[r, g, b]`, or (N, N, N, 4), whose alpha is ignored.

    Raises TextureFormatError, which is a ValueError, where the array is no such LUT or holds NaN or infinity; ValueError
    where the name does not end in .cube; FileExistsError where the file is there and `overwrite` is False; OSError where
    it can't be written.
    """
    _native.write_cube(os.fspath(path), lut_float32(lut), title, list(comments), overwrite)
