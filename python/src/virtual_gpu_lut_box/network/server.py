"""The OpenGradeIO server: calls back with every LUT that it receives."""

import inspect
import logging
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self, TypeAlias

from virtual_gpu_lut_box import _native
from virtual_gpu_lut_box._arrays import FloatArray
from virtual_gpu_lut_box._running import RunningServer
from virtual_gpu_lut_box.network.protocol import ProtocolHandler

logger = logging.getLogger(__name__)

LutCallback: TypeAlias = Callable[[FloatArray, str | None], Any] | Callable[[FloatArray], Any]

# How often a waiting main thread hears of Ctrl-C on Windows, where nothing wakes it.
_HEARING_S = 0.2


class OpenGradeIOServer:
    """Receives LUTs over OpenGradeIO, and calls `lut_callback(lut, channel)` with each.

    `lut` is a float32 array of shape (N, N, N, 3), indexed `[r, g, b]`; it is the callback's to keep and to change.
    `channel` is the request's `instance`, or None. A callback may also take the LUT alone.

    Callbacks come one at a time, on a thread of the server's own. The client's reply waits for the callback: when it
    returns, the client is told that the LUT is in force; when it raises, the client is told so, with the exception's
    text, and the server goes on. Without a callback every LUT is refused.
    """

    DEFAULT_HOST = "127.0.0.1"
    DEFAULT_PORT = 8089

    def __init__(
        self, host: str = DEFAULT_HOST, port: int = DEFAULT_PORT, lut_callback: LutCallback | None = None
    ) -> None:
        """Does not listen yet. `host` is a name or an address, IPv4 or IPv6 ("0.0.0.0" or "::" for every network);
        with port 0 the system chooses one, which `addresses` tells."""
        self.host = host
        self.port = port
        self.protocol = ProtocolHandler()
        self._running: RunningServer | None = None
        self._lock = threading.Lock()
        self._callback: LutCallback | None = None
        self._call: Callable[[FloatArray, str | None], Any] | None = None
        self.set_lut_callback(lut_callback)

    @property
    def lut_callback(self) -> LutCallback | None:
        """What is called with every LUT. May be changed while the server runs."""
        return self._callback

    @lut_callback.setter
    def lut_callback(self, callback: LutCallback | None) -> None:
        self.set_lut_callback(callback)

    def set_lut_callback(self, callback: LutCallback | None) -> None:
        """Sets what is called with every LUT, from the next one on.

        Raises TypeError where it can be called neither as `callback(lut, channel)` nor as `callback(lut)`.
        """
        self._call = None if callback is None else _with_two_arguments(callback)
        self._callback = callback

    def start(self) -> None:
        """Returns once the server listens. Does nothing where it does already.

        Raises ServerStartError, which is an OSError, with the reason.
        """
        with self._lock:
            if self._running is not None:
                if not self._running.stopping:
                    logger.warning("%r is running already", self)
                    return
                self._running.port_is_free.wait()
            desk = _native.Desk()
            native = _native.Server.deliver(self.host, self.port, desk)
            name = f"vglb-callback {self.host}:{self.port}"
            thread = threading.Thread(target=self._deliver, args=(desk,), name=name, daemon=True)
            try:
                thread.start()
            except RuntimeError:
                native.stop()
                raise
            self._running = RunningServer(native, desk.close, thread)

    def stop(self) -> None:
        """Frees the port, finishes the requests that have arrived and closes the connections. Takes at most 0.8 s,
        and a second more where the callback is busy for so long. May be called from the callback, where it returns
        at once. Does nothing where the server does not run."""
        running = self._running
        if running is not None:
            running.stop()

    @property
    def is_running(self) -> bool:
        """Whether it listens."""
        running = self._running
        return running is not None and not running.stopping

    @property
    def addresses(self) -> list[tuple[str, int]]:
        """The addresses listened on, as IP address and port; empty where the server does not run."""
        running = self._running
        return running.native.addresses if running is not None and not running.stopping else []

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the server has stopped, at most `timeout` seconds; tells whether it has. Ctrl-C gets through."""
        running = self._running
        return running is None or wait_interruptibly(running.finished, timeout)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"OpenGradeIOServer(host={self.host!r}, port={self.port})"

    def _deliver(self, desk: _native.Desk) -> None:
        """What the callback's thread does."""
        try:
            while (work := desk.take()) is not None:
                error = self._try(*work)
                # The LUT is the callback's; here it must not live until the next one comes.
                del work
                desk.answer(error)
        finally:
            desk.close()

    def _try(self, lut: FloatArray, channel: str | None) -> str | None:
        """Calls back. Returns what to tell the client, or None where all is well."""
        call = self._call
        if call is None:
            return "this server has no LUT callback yet, so nothing would become of the LUT"
        try:
            call(lut, channel)
        except BaseException as error:
            logger.exception("the LUT callback failed (channel %r)", channel)
            return _text(error)
        return None


def wait_interruptibly(event: threading.Event, timeout: float | None) -> bool:
    """`event.wait(timeout)` that hears of Ctrl-C on every system."""
    until = None if timeout is None else time.monotonic() + timeout
    while True:
        left = _HEARING_S if until is None else min(_HEARING_S, until - time.monotonic())
        if event.wait(max(left, 0.0)):
            return True
        if until is not None and time.monotonic() >= until:
            return False


def _with_two_arguments(callback: LutCallback) -> Callable[[FloatArray, str | None], Any]:
    """`callback` as something that takes a LUT and a channel."""
    if not callable(callback):
        raise TypeError(f"lut_callback must be callable, not {type(callback).__name__}")
    takes_both: Callable[..., Any] = callback
    try:
        signature = inspect.signature(callback)
    except ValueError:
        # Something built in that does not tell.
        return takes_both
    for arguments in ((None, None), (None,)):
        try:
            signature.bind(*arguments)
        except TypeError:
            continue
        return takes_both if len(arguments) == 2 else lambda lut, _: takes_both(lut)
    raise TypeError(f"lut_callback must take (lut, channel) or (lut), not {signature}")


def _text(error: BaseException) -> str:
    """An exception as a sentence that can be sent."""
    try:
        said = str(error)
    except Exception:
        said = "(its text can't be had)"
    name = type(error).__name__
    return (f"{name}: {said}" if said else name).encode("utf-8", "replace").decode("utf-8")
