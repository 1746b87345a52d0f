"""The ways of sharing textures that the native module has."""

from typing import Any, ClassVar

import numpy.typing as npt

from virtual_gpu_lut_box import _logs, _native
from virtual_gpu_lut_box._errors import InitializationError, StreamingError
from virtual_gpu_lut_box.gpu_texture_stream.base import StreamingBackend


class NativeBackend(StreamingBackend):
    """A stream through one of the native module's back ends. Its textures are LUT strips, N²×N, or Hald CLUTs, L³×L³."""

    backend_name: ClassVar[str]

    def __init__(self, name: str, width: int, height: int, quiet_mode: bool = True) -> None:
        """The stream `name`, of textures of `width`×`height` texels. `quiet_mode` has no effect: nothing is printed, and
        what is logged is `logging`'s to filter."""
        super().__init__(name, width, height)
        self.quiet_mode = quiet_mode
        self._sender: _native.Sender | None = None

    def initialize(self) -> None:
        if self._initialized:
            return
        _logs.prepare()
        try:
            self._sender = _native.Sender(self.backend_name, self.name, self.width, self.height)
        except StreamingError as error:
            raise InitializationError(f"the stream {self.name!r} can't be started: {error}") from error
        finally:
            _logs.flush()
        self._initialized = True

    def send_texture(self, texture_data: npt.NDArray[Any]) -> None:
        sender = self._sender
        if sender is None:
            raise RuntimeError(f"the stream {self.name!r} was not started; call initialize() first")
        sender.send(self._checked(texture_data))

    def cleanup(self) -> None:
        sender, self._sender = self._sender, None
        self._initialized = False
        if sender is not None:
            sender.close()

    def is_available(self) -> bool:
        return _native.backend_problem(self.backend_name) is None

    def get_supported_formats(self) -> list[str]:
        return ["rgb", "rgba", "bgr", "bgra"]
