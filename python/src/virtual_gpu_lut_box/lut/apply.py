"""LUTs applied to pictures."""

from typing import Any

import numpy.typing as npt

from virtual_gpu_lut_box import _native
from virtual_gpu_lut_box._arrays import FloatArray, exact_float32, lut_float32
from virtual_gpu_lut_box._errors import TextureFormatError


def apply_lut(image: npt.NDArray[Any], lut: npt.NDArray[Any], interpolation: str = "tetrahedral") -> FloatArray:
    """The picture seen through the LUT: float32 of the picture's shape.

    The picture is float32 of any shape whose last axis is R, G, B or R, G, B, A; alpha stays as it is. Values outside 0 to 1
    are clamped before they are looked up, NaN counts as 0; results are not clamped. A colour that is a lattice point
    gives that entry bit for bit. `interpolation` is "tetrahedral", as grading programs and this project's shaders do
    it, or "trilinear".

    Raises TextureFormatError, which is a ValueError, where an array is not of that kind.
    """
    pixels = exact_float32(image, "a picture")
    if pixels.ndim < 1 or pixels.shape[-1] not in (3, 4):
        raise TextureFormatError(
            f"the last axis of a picture must have 3 or 4 components, R, G, B and alpha; this array's shape is {pixels.shape}"
        )
    flat = pixels.reshape(-1, pixels.shape[-1])
    return _native.apply_lut(flat, lut_float32(lut), interpolation).reshape(pixels.shape)
