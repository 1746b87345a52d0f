"""Receiving the streams of this computer."""

import asyncio
import queue
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from virtual_gpu_lut_box import _logs, _native
from virtual_gpu_lut_box._arrays import FloatArray
from virtual_gpu_lut_box._errors import StreamingError
from virtual_gpu_lut_box.texture_view import Memory, TextureView

# Waiting inside the native module comes back to Python so often, to hear of Ctrl-C and of closing. A texture is heard of
# at once.
_HEARING_S = 0.1


@dataclass(frozen=True)
class Cdl:
    """ASC CDL values; those of three numbers are for red, green and blue."""

    slope: tuple[float, float, float]
    offset: tuple[float, float, float]
    power: tuple[float, float, float]
    saturation: float


@dataclass(frozen=True)
class StreamInfo:
    """A stream that can be received on this computer. What the platform does not tell is None."""

    name: str
    """What `Receiver` takes."""
    width: int
    """In texels."""
    height: int
    """In texels."""
    lut_size: int | None
    """The LUT's grid size N."""
    layout: str | None
    """How the LUT lies in the texture."""
    format: str
    """The texel format on the transport."""
    revision: int | None
    """Which of the stream's textures is the newest; the first is 1."""
    published: float | None
    """When that was published, as `time.time()` counts."""
    sender: str | None
    """The process that sends it."""
    cdl: Cdl | None = None
    """The newest CDL values that the stream's channel was sent."""


def list_streams(backend: str = "auto") -> list[StreamInfo]:
    """The streams that can be received on this computer now, by name.

    Raises PlatformNotSupportedError where textures can't be shared on this computer.
    """
    return [_info(**stream) for stream in _native.list_streams(backend)]


def _info(cdl: tuple[Any, Any, Any, float] | None, **stream: Any) -> StreamInfo:
    if cdl is None:
        return StreamInfo(**stream)
    slope, offset, power, saturation = cdl
    return StreamInfo(**stream, cdl=Cdl(tuple(slope), tuple(offset), tuple(power), saturation))


class Receiver:
    """Receives a stream's textures, as any other program on this computer would. Always the newest: textures that
    nobody asked for are skipped.

    The stream need not be there yet, and may end and come back. As an iterator, `for texture in receiver`, it gives each
    new texture from the first to the stream's end; so does `async for`. The properties tell about the texture given last.
    """

    def __init__(self, stream: str, *, backend: str = "auto") -> None:
        """`stream` is a name that `list_streams` shows: "OpenGradeIO-LUT" or "vglb-lut-{channel}". `backend` is "auto"
        for the platform's own way to share textures, or one of "spout", "syphon", "linux", "memory" (this process alone).

        Raises PlatformNotSupportedError where textures can't be shared on this computer.
        """
        self.stream = stream
        _logs.prepare()
        self._native = _native.Receiver(stream, backend)
        self._closed = False
        self._about: dict[str, Any] = {}
        self._memory: Memory | None = None

    def wait(self, timeout: float | None = None) -> bool:
        """Waits for a texture that `frame` has not given yet, at most `timeout` seconds. Where the stream is not there,
        or ends, waits for it to come. Ctrl-C gets through."""
        until = None if timeout is None else time.monotonic() + timeout
        return self._await_texture(until, None, to_the_end=False) == "texture"

    def frame(self) -> FloatArray:
        """The newest texture: float32 of shape (height, width, 4), row 0 at the top. The array has taken over the memory
        into which the texture was received, and is the caller's.

        Raises StreamingError where there is no such stream.
        """
        texture = self._read()
        if texture is None:
            raise StreamingError(f"the stream {self.stream!r} has ended")
        return texture

    def view(self) -> TextureView:
        """The newest texture where its sender has it, without any copy: for code that is done with it in a moment, such
        as one that hands it to a graphics device. The sender writes over that memory when it has published two others, as a
        rule; `TextureView.intact` tells afterwards whether all that was read is of this texture. Where the platform
        has no memory that can be looked at, the view is of an own copy, which stays.

        Raises StreamingError where there is no such stream.
        """
        self._check_open()
        got = self._native.in_place()
        _logs.flush()
        if got is None:
            return TextureView(self.frame(), None, self._about)
        in_place, self._about = got
        self._memory = Memory.of(in_place, self._memory)
        return TextureView(self._memory.texture(in_place), in_place, self._about)

    def lut(self, layout: str | None = None) -> FloatArray:
        """The newest LUT: float32 of shape (N, N, N, 3), indexed `[r, g, b]`. `layout` says how it lies in the texture;
        by default as the transport says, and "vglb" where it does not.

        Raises StreamingError where there is no such stream, TextureFormatError where the texture is not in that layout.
        """
        texture = self.frame()
        return _native.hald_to_lut(texture, layout or self.layout or "vglb")

    @property
    def revision(self) -> int | None:
        """The sender's revision; where the transport has none, a number that changes with every texture."""
        return self._about.get("revision")

    @property
    def lut_size(self) -> int | None:
        """The LUT's grid size N, where the transport tells."""
        return self._about.get("lut_size")

    @property
    def layout(self) -> str | None:
        """How the LUT lies in the texture, where the transport tells."""
        return self._about.get("layout")

    @property
    def format(self) -> str | None:
        """The texel format on the transport."""
        return self._about.get("format")

    @property
    def published(self) -> float | None:
        """When it was published, as `time.time()` counts, where the transport tells."""
        return self._about.get("published")

    def close(self) -> None:
        """Lets go of the stream, and ends every waiting for it. Arrays that were given stay as they are."""
        self._closed = True
        self._memory = None
        self._native.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __iter__(self) -> Iterator[FloatArray]:
        begun = False
        while (texture := self._next(begun, None)) is not None:
            begun = True
            yield texture

    async def __aiter__(self) -> AsyncIterator[FloatArray]:
        loop = asyncio.get_running_loop()
        wanted: queue.SimpleQueue[asyncio.Future[FloatArray | None] | None] = queue.SimpleQueue()
        cancelled = threading.Event()
        thread = threading.Thread(target=self._serve, args=(loop, wanted, cancelled), name="vglb-receive", daemon=True)
        thread.start()
        try:
            while True:
                future: asyncio.Future[FloatArray | None] = loop.create_future()
                wanted.put(future)
                texture = await future
                if texture is None:
                    return
                yield texture
        finally:
            cancelled.set()
            wanted.put(None)

    def __repr__(self) -> str:
        return f"Receiver({self.stream!r})"

    def _serve(
        self,
        loop: asyncio.AbstractEventLoop,
        wanted: "queue.SimpleQueue[asyncio.Future[FloatArray | None] | None]",
        cancelled: threading.Event,
    ) -> None:
        """Gets a texture for each future that comes, on a thread of its own."""

        def settle(future: asyncio.Future[FloatArray | None], texture: FloatArray | None, error: Exception | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(texture)
            else:
                future.set_exception(error)

        begun = False
        while (future := wanted.get()) is not None:
            texture, error = None, None
            try:
                texture = self._next(begun, cancelled)
                begun = True
            except Exception as caught:
                error = caught
            try:
                loop.call_soon_threadsafe(settle, future, texture, error)
            except RuntimeError:
                # The loop is closed: nobody is there to get it.
                return

    def _next(self, begun: bool, cancelled: threading.Event | None) -> FloatArray | None:
        """The next texture; None at the end of a stream of which there was one already."""
        while self._await_texture(None, cancelled, to_the_end=begun) == "texture":
            if (texture := self._read()) is not None:
                return texture
            if begun:
                break
        return None

    def _await_texture(self, until: float | None, cancelled: threading.Event | None, *, to_the_end: bool) -> str:
        """Waits for "texture", "nothing" once the time is up, or, where it matters, "ended"."""
        while True:
            self._check_open()
            if cancelled is not None and cancelled.is_set():
                return "nothing"
            left = _HEARING_S if until is None else min(_HEARING_S, until - time.monotonic())
            event = self._native.wait(max(left, 0.0))
            if event == "texture" or (to_the_end and event in ("ended", "absent")):
                return event
            if until is not None and time.monotonic() >= until:
                return "nothing"

    def _check_open(self) -> None:
        if self._closed:
            raise StreamingError(f"this receiver of {self.stream!r} is closed")

    def _read(self) -> FloatArray | None:
        self._check_open()
        got = self._native.read()
        _logs.flush()
        if got is None:
            return None
        texture, self._about = got
        return texture
