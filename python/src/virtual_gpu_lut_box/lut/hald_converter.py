"""LUTs as the textures that carry them, and back."""

from typing import Any

import numpy.typing as npt

from virtual_gpu_lut_box import _native
from virtual_gpu_lut_box._arrays import FloatArray, exact_float32, lut_float32
from virtual_gpu_lut_box._errors import TextureFormatError


class HaldConverter:
    """Lays LUTs of one grid size out as textures, bit for bit.

    In the default layout, `vglb`, the texture is N²×N: the entry for lattice point (r, g, b) lies in row r, column
    b·N + g. The other layouts are `unreal`, `unity` and `hald-clut`. `hald_width` and `hald_height` are the texture's size.
    """

    def __init__(self, lut_size: int = 33, layout: str = "vglb") -> None:
        """Raises TextureFormatError, which is a ValueError, where no LUT of this grid size has such a texture: a strip
        holds 2 ≤ N ≤ 128."""
        if lut_size < 2:
            raise TextureFormatError(f"a LUT has at least 2 entries along each axis, not {lut_size}")
        self.lut_size = lut_size
        self.layout = layout
        self.hald_width, self.hald_height = _native.texture_size(lut_size, layout)

    def lut_to_hald(self, lut: npt.NDArray[Any]) -> FloatArray:
        """The texture of a LUT: float32 of shape (height, width, 4), row 0 at the top, alpha 1.

        The LUT is float32 of shape (N, N, N, 3), indexed `[r, g, b]`, or (N, N, N, 4), whose alpha is ignored. Its values may
        be any, NaN included. Raises TextureFormatError, which is a ValueError, where it is no such array.
        """
        array = lut_float32(lut)
        if len(array) != self.lut_size:
            raise TextureFormatError(f"this converter is for LUTs of grid size {self.lut_size}, not {len(array)}")
        return _native.lut_to_hald(array, self.layout)

    def hald_to_lut(self, hald: npt.NDArray[Any]) -> FloatArray:
        """The LUT in a texture: float32 of shape (N, N, N, 3), indexed `[r, g, b]`.

        The texture is float32 of shape (height, width, 4) or (height, width, 3). Raises TextureFormatError, which is a
        ValueError, where it is no such array.
        """
        array = exact_float32(hald, "a texture")
        height, width = self.hald_height, self.hald_width
        if array.shape not in ((height, width, 3), (height, width, 4)):
            raise TextureFormatError(
                f"the texture of a LUT of grid size {self.lut_size} has the shape ({height}, {width}, 4) or"
                f" ({height}, {width}, 3); this array's is {array.shape}"
            )
        return _native.hald_to_lut(array, self.layout)
