"""The whole LUT box: the OpenGradeIO server with its streams."""

import logging
import threading
from types import TracebackType
from typing import Any, Self

from virtual_gpu_lut_box import _logs, _native
from virtual_gpu_lut_box._running import RunningServer
from virtual_gpu_lut_box.gpu_texture_stream.factory import StreamingFactory
from virtual_gpu_lut_box.network.server import LutCallback, OpenGradeIOServer, wait_interruptibly

logger = logging.getLogger(__name__)


class VirtualGPULUTBoxServer:
    """Receives LUTs over OpenGradeIO and publishes them as textures: those without a channel as the stream
    `stream_name`, the others as `vglb-lut-{channel}`.

    LUTs go from the network into the textures without Python. With a `lut_callback` nothing is published: the callback
    gets the LUTs instead, as OpenGradeIOServer says. Everything runs in this process.
    """

    DEFAULT_HOST = OpenGradeIOServer.DEFAULT_HOST
    DEFAULT_PORT = OpenGradeIOServer.DEFAULT_PORT

    def __init__(
        self,
        host: str = DEFAULT_HOST,
        port: int = DEFAULT_PORT,
        stream_name: str = "OpenGradeIO-LUT",
        verbose: bool = False,
        info_logging: bool = False,
        lut_callback: LutCallback | None = None,
        *,
        backend: str = "auto",
    ) -> None:
        """Does not listen yet. `verbose` logs each LUT, `info_logging` everything of operational interest; without
        either, warnings, and a line when a client comes or goes or a stream starts. `backend` is "auto" for the
        platform's own way to share textures, or one of "spout", "syphon", "linux", "memory" (this process alone)."""
        self.host = host
        self.port = port
        self.stream_name = stream_name
        self.verbose = verbose
        self.info_logging = info_logging
        self.lut_callback = lut_callback
        self.backend = backend
        self._lock = threading.Lock()
        self._with_callback: OpenGradeIOServer | None = None
        self._running: RunningServer | None = None

    def start(self) -> None:
        """Returns once the server listens. Does nothing where it does already.

        Where `logging` has no handler yet, gives it one that writes to stderr.

        Raises ServerStartError, which is an OSError and a RuntimeError, with the reason; PlatformNotSupportedError
        where textures can't be shared on this computer.
        """
        with self._lock:
            if self.is_running:
                logger.warning("%r is running already", self)
                return
            self._set_up_logging()
            if self._running is not None:
                # Its streams have the names that the new ones will have.
                self._running.finished.wait()
            if self.lut_callback is not None:
                server = OpenGradeIOServer(self.host, self.port, self.lut_callback)
                server.start()
                self._with_callback, self._running = server, None
            else:
                streamer = _native.Streamer(self.stream_name, self.backend)
                native = _native.Server.publish(self.host, self.port, streamer)
                self._with_callback, self._running = None, RunningServer(native, streamer.close)

    def stop(self) -> None:
        """Frees the port, finishes the requests that have arrived, closes the connections and ends the streams. Takes
        at most 0.8 s, and a second more where a callback is busy for so long."""
        server, running = self._with_callback, self._running
        if server is not None:
            server.stop()
        if running is not None:
            running.stop()

    @property
    def is_running(self) -> bool:
        """Whether it listens."""
        server, running = self._with_callback, self._running
        return server.is_running if server is not None else running is not None and not running.stopping

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The addresses listened on, as IP address and port; empty where the server does not run."""
        server, running = self._with_callback, self._running
        if server is not None:
            return server.addresses
        return running.native.addresses if running is not None and not running.stopping else []

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the server has stopped, at most `timeout` seconds; tells whether it has. Ctrl-C gets through."""
        server, running = self._with_callback, self._running
        if server is not None:
            return server.wait(timeout)
        return running is None or wait_interruptibly(running.finished, timeout)

    @staticmethod
    def get_platform_info() -> dict[str, Any]:
        """What `StreamingFactory.get_platform_info` tells, and `current_platform`, `available_backends`,
        `platform_supported` and, where it is supported, `supported_formats`."""
        supported = StreamingFactory.is_platform_supported()
        info: dict[str, Any] = {
            **StreamingFactory.get_platform_info(),
            "current_platform": StreamingFactory.get_current_platform(),
            "available_backends": StreamingFactory.get_available_backends(),
            "platform_supported": supported,
        }
        if supported:
            info["supported_formats"] = StreamingFactory.list_supported_formats()
        return info

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"VirtualGPULUTBoxServer(host={self.host!r}, port={self.port}, stream_name={self.stream_name!r})"

    def _set_up_logging(self) -> None:
        logging.basicConfig(format="%(asctime)s - %(name)s - %(levelname)s - %(message)s")
        if self.verbose or self.info_logging:
            logging.getLogger(_logs.PACKAGE).setLevel(logging.DEBUG if self.verbose else logging.INFO)
        events = logging.getLogger(_logs.EVENTS)
        if events.level == logging.NOTSET:
            events.setLevel(logging.INFO)
