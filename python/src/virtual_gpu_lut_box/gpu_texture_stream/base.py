"""What every way of sharing textures has in common."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from virtual_gpu_lut_box._arrays import FloatArray, exact_float32
from virtual_gpu_lut_box._errors import (
    InitializationError,
    PlatformNotSupportedError,
    StreamingError,
    TextureFormatError,
)

__all__ = [
    "InitializationError",
    "PlatformNotSupportedError",
    "StreamingBackend",
    "StreamingError",
    "TextureFormatError",
]

_CHANNEL_ORDERS = {"rgb": [0, 1, 2], "rgba": [0, 1, 2, 3], "bgr": [2, 1, 0], "bgra": [2, 1, 0, 3]}


class StreamingBackend(ABC):
    """One stream of textures of one size. As a context manager it starts the stream and ends it."""

    def __init__(self, name: str, width: int, height: int) -> None:
        """The stream `name`, of textures of `width`×`height` texels. Starts nothing."""
        self.name = name
        self.width = width
        self.height = height
        self._initialized = False

    @property
    def initialized(self) -> bool:
        """Whether the stream was started."""
        return self._initialized

    @abstractmethod
    def initialize(self) -> None:
        """Starts the stream. Raises InitializationError where that can't be done."""

    @abstractmethod
    def send_texture(self, texture_data: npt.NDArray[Any]) -> None:
        """Publishes a texture: float32 of shape (height, width, 4), row 0 at the top. Every bit is kept.

        Raises RuntimeError where the stream was not started, TextureFormatError where the array is no such texture,
        StreamingError where it can't be sent.
        """

    @abstractmethod
    def cleanup(self) -> None:
        """Ends the stream. It may be started again."""

    @abstractmethod
    def is_available(self) -> bool:
        """Whether textures can be shared this way on this computer."""

    @abstractmethod
    def get_supported_formats(self) -> list[str]:
        """The formats that `convert_texture_format` knows. What is sent is RGBA float32, always."""

    def send_lut_texture(self, hald_image: npt.NDArray[Any]) -> None:
        """Publishes the texture of a LUT, as `HaldConverter.lut_to_hald` makes it. Raises what `send_texture` raises."""
        if not self._initialized:
            raise RuntimeError(f"the stream {self.name!r} was not started; call initialize() first")
        self.send_texture(hald_image)

    def validate_texture_data(self, texture_data: npt.NDArray[Any]) -> bool:
        """True where the array is a texture that can be sent; otherwise raises TextureFormatError with the reason."""
        self._checked(texture_data)
        return True

    def convert_texture_format(self, texture_data: npt.NDArray[Any], target_format: str) -> FloatArray:
        """A copy of a texture with its components in another order: "rgb", "rgba", "bgr" or "bgra".

        Raises TextureFormatError where the array is no texture of this stream, ValueError where the format is unknown.
        """
        texture = self._checked(texture_data)
        order = _CHANNEL_ORDERS.get(target_format.lower())
        if order is None:
            raise ValueError(f"{target_format!r} is no format; it can be {', '.join(_CHANNEL_ORDERS)}")
        return texture[:, :, order]

    def _checked(self, texture_data: npt.NDArray[Any]) -> FloatArray:
        """The texture as contiguous float32."""
        texture = exact_float32(texture_data, "a texture")
        if texture.shape != (self.height, self.width, 4):
            raise TextureFormatError(
                f"a texture of the stream {self.name!r} has the shape ({self.height}, {self.width}, 4); this array's is"
                f" {texture.shape}"
            )
        finite = np.isfinite(texture)
        if not finite.all():
            y, x, component = np.argwhere(~finite)[0]
            raise TextureFormatError(
                f"{np.count_nonzero(~finite)} values of the texture are NaN or infinite, the first in row {y}, column {x},"
                f" component {component}; all must be finite numbers"
            )
        return texture

    def __enter__(self) -> Self:
        self.initialize()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cleanup()

    def __del__(self) -> None:
        if getattr(self, "_initialized", False):
            self.cleanup()
