"""Textures where their sender has them."""

import mmap
import os
from typing import Any, Self

import numpy as np

from virtual_gpu_lut_box import _native
from virtual_gpu_lut_box._arrays import FloatArray


class TextureView:
    """A texture that was not copied, as `Receiver.view` gives it.

    `texture` is a read-only array of shape (height, width, 4). It may be kept as long as you like, and never points to
    memory that is gone; but its sender, which does not know who looks, may put another texture there. So:

        view = receiver.view()
        upload(view.texture)
        if not view.intact:
            ...  # what was uploaded may be half of this texture and half of another: take a new view, or frame()
    """

    def __init__(self, texture: FloatArray, in_place: _native.InPlace | None, about: dict[str, Any]) -> None:
        self._texture = texture
        self._in_place = in_place
        self._about = about
        texture.flags.writeable = False

    @property
    def texture(self) -> FloatArray:
        """Float32 of shape (height, width, 4), row 0 at the top; read-only."""
        return self._texture

    @property
    def intact(self) -> bool:
        """Whether everything that was read of `texture` until now is of this texture. Once False, it stays so."""
        return self._in_place is None or self._in_place.is_intact()

    @property
    def is_copy(self) -> bool:
        """Whether `texture` is a copy after all, which is always intact: where the platform has no memory that can be
        looked at."""
        return self._in_place is None

    @property
    def revision(self) -> int:
        """The sender's revision; where the transport has none, a number that changes with every texture."""
        revision: int = self._about["revision"]
        return revision

    @property
    def lut_size(self) -> int | None:
        """The LUT's grid size N, where the transport tells."""
        lut_size: int | None = self._about["lut_size"]
        return lut_size

    @property
    def layout(self) -> str | None:
        """How the LUT lies in the texture, where the transport tells."""
        layout: str | None = self._about["layout"]
        return layout

    @property
    def published(self) -> float | None:
        """When it was published, as `time.time()` counts, where the transport tells."""
        published: float | None = self._about["published"]
        return published

    def __repr__(self) -> str:
        height, width, _ = self._texture.shape
        return f"TextureView({width}×{height}, revision {self.revision})"


class Memory:
    """A sender's memory, mapped for reading. Arrays made of it keep the mapping alive. The memory is sealed: it can't
    shrink under the mapping."""

    def __init__(self, file: int, identity: tuple[int, int]) -> None:
        self._identity = identity
        self._mapping = mmap.mmap(file, 0, access=mmap.ACCESS_READ)

    @classmethod
    def of(cls, in_place: _native.InPlace, before: Self | None) -> Self:
        """The memory that holds a texture; the one `before`, where that is the same."""
        file = os.open(in_place.path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        try:
            status = os.fstat(file)
            identity = (status.st_dev, status.st_ino)
            if before is not None and before._identity == identity:
                return before
            return cls(file, identity)
        finally:
            os.close(file)

    def texture(self, in_place: _native.InPlace) -> FloatArray:
        """The texture as an array, without a copy."""
        width, height = in_place.width, in_place.height
        values = np.frombuffer(self._mapping, np.float32, width * height * 4, in_place.offset)
        return values.reshape(height, width, 4)
