"""The platform's way of sharing textures."""

import platform
from typing import ClassVar, cast

from virtual_gpu_lut_box import _native
from virtual_gpu_lut_box._errors import PlatformNotSupportedError
from virtual_gpu_lut_box.gpu_texture_stream.base import StreamingBackend
from virtual_gpu_lut_box.gpu_texture_stream.linux import LinuxBackend
from virtual_gpu_lut_box.gpu_texture_stream.spout import SpoutBackend
from virtual_gpu_lut_box.gpu_texture_stream.syphon import SyphonBackend

__all__ = ["PlatformNotSupportedError", "StreamingFactory"]

_LARGEST_SIDE = 16384


class StreamingFactory:
    """Makes streams for the platform at hand. Platforms have the names that `platform.system()` gives: "Windows",
    "Darwin", "Linux"."""

    _backends: ClassVar[dict[str, type[StreamingBackend]]] = {
        "Windows": SpoutBackend,
        "Darwin": SyphonBackend,
        "Linux": LinuxBackend,
    }

    @classmethod
    def register_backend(cls, platform_name: str, backend_class: type[StreamingBackend]) -> None:
        """Makes `backend_class` the way of sharing textures on a platform."""
        cls._backends[platform_name] = backend_class

    @classmethod
    def get_available_backends(cls) -> list[str]:
        """The platforms whose way of sharing textures works on this computer: at most one, unless others were
        registered."""
        return [name for name in cls._backends if cls.is_platform_supported(name)]

    @classmethod
    def create_backend(
        cls, name: str = "virtual-gpu-lut-box", width: int = 1089, height: int = 33, platform_name: str | None = None
    ) -> StreamingBackend:
        """A stream of textures of `width`×`height` texels, not started yet.

        Raises ValueError where the name is empty or a side is not 1 to 16384; PlatformNotSupportedError where textures
        can't be shared that way on this computer.
        """
        if not isinstance(cast(object, name), str) or not name:
            raise ValueError(f"a stream's name must be a text that is not empty, not {name!r}")
        if not (1 <= width <= _LARGEST_SIDE and 1 <= height <= _LARGEST_SIDE):
            raise ValueError(f"a texture has 1 to {_LARGEST_SIDE} texels a side; {width}×{height} can't be made")
        system = platform_name or cls.get_current_platform()
        backend_class = cls._backends.get(system)
        if backend_class is None:
            known = ", ".join(cls._backends)
            raise PlatformNotSupportedError(f"there is no way to share textures on {system!r}; there is on {known}")
        backend = backend_class(name, width, height)
        if not backend.is_available():
            raise PlatformNotSupportedError(f"{backend_class.__name__} does not work on this computer")
        return backend

    @classmethod
    def create_lut_streamer(
        cls, name: str = "virtual-gpu-lut-box", lut_size: int = 33, platform_name: str | None = None
    ) -> StreamingBackend:
        """A stream for the textures of LUTs of one grid size, not started yet.

        Raises ValueError where such a LUT has no texture; what `create_backend` raises.
        """
        width, height = _native.texture_size(max(lut_size, 0), "vglb")
        return cls.create_backend(name, width, height, platform_name)

    @classmethod
    def get_current_platform(cls) -> str:
        """This platform's name."""
        return platform.system()

    @classmethod
    def is_platform_supported(cls, platform_name: str | None = None) -> bool:
        """Whether textures can be shared on this computer in the way of that platform, by default its own."""
        backend_class = cls._backends.get(platform_name or cls.get_current_platform())
        return backend_class is not None and backend_class("probe", 1, 1).is_available()

    @classmethod
    def list_supported_formats(cls, platform_name: str | None = None) -> list[str]:
        """What `get_supported_formats` of that platform's streams says; empty where it does not work here."""
        system = platform_name or cls.get_current_platform()
        return cls._backends[system]("probe", 1, 1).get_supported_formats() if cls.is_platform_supported(system) else []

    @classmethod
    def get_platform_info(cls) -> dict[str, str]:
        """`system`, `release`, `version`, `machine`, `processor` and `python_version`, as `platform` tells them."""
        return {
            "system": platform.system(),
            "release": platform.release(),
            "version": platform.version(),
            "machine": platform.machine(),
            "processor": platform.processor(),
            "python_version": platform.python_version(),
        }
