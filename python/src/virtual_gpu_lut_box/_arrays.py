"""Arrays as the native module takes them: float32, contiguous, of the right shape."""

from typing import Any, TypeAlias, TypeGuard

import numpy as np
import numpy.typing as npt

from virtual_gpu_lut_box._errors import TextureFormatError

FloatArray: TypeAlias = npt.NDArray[np.float32]


def exact_float32(array: Any, what: str) -> npt.NDArray[np.float32]:
    """`array` as contiguous float32 of this machine's byte order.

    Whatever its memory order, strides or byte order, every bit is kept; float16 becomes wider, which loses nothing. Any
    other type is refused: float64 would be rounded, and integers do not say what their 1.0 is.
    """
    if not _is_plain(array):
        raise TextureFormatError(f"{what} must be a plain numpy array of float32, not {type(array).__name__}")
    if array.dtype.kind != "f" or array.dtype.itemsize > 4:
        raise TextureFormatError(f"{what} must be float32 (or float16), not {array.dtype}; {_advice(array.dtype)}")
    return np.require(array, np.float32, ["C_CONTIGUOUS", "ALIGNED", "ENSUREARRAY"])


def lut_float32(array: Any, what: str = "a LUT") -> npt.NDArray[np.float32]:
    """`array` as a LUT: float32 of shape (N, N, N, 3) or (N, N, N, 4), 2 ≤ N ≤ 256."""
    lut = exact_float32(array, what)
    shape = lut.shape
    cubic = len(shape) == 4 and shape[0] == shape[1] == shape[2] and shape[3] in (3, 4)
    if not cubic or not 2 <= shape[0] <= 256:
        raise TextureFormatError(
            f"{what} must have the shape (N, N, N, 3), indexed [r, g, b], or (N, N, N, 4), whose alpha is ignored, with N"
            f" from 2 to 256; this array's is {shape}"
        )
    return lut


def _is_plain(array: Any) -> TypeGuard[npt.NDArray[Any]]:
    # A masked array's mask would be lost.
    return isinstance(array, np.ndarray) and not isinstance(array, np.ma.MaskedArray)


def _advice(dtype: np.dtype[Any]) -> str:
    if dtype.kind == "f":
        return "array.astype(numpy.float32) rounds it, if that is what you want"
    if dtype.kind in "iu":
        return f"scale it to floats first, for example (array / {np.iinfo(dtype).max}).astype(numpy.float32)"
    return "its values are no real numbers"
