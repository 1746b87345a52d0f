"""Servers that run. Each is kept until it is stopped, and those still running are stopped when the interpreter ends."""

import atexit
import logging
import os
import threading
from collections.abc import Callable

from virtual_gpu_lut_box import _logs, _native

logger = logging.getLogger(__name__)

# How long to wait for a callback that is still busy when its server has stopped.
_CALLBACK_PATIENCE_S = 1.0

_servers: set["RunningServer"] = set()


class RunningServer:
    """A server that listens, with what belongs to it. `thread` is the one that runs its callback, if it has one;
    `close` ends that thread's work, or the streams. `port_is_free` is set once another server can have the port,
    `finished` once nothing of it is left."""

    def __init__(
        self, native: _native.Server, close: Callable[[], None], thread: threading.Thread | None = None
    ) -> None:
        self.native = native
        self.port_is_free = threading.Event()
        self.finished = threading.Event()
        self._close = close
        self._thread = thread
        self._lock = threading.Lock()
        self._stopping = False
        _logs.acquire()
        _servers.add(self)

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping

    def stop(self) -> None:
        """Frees the port, finishes the requests that have arrived, and closes the connections: at most 0.8 s, and a
        second more for a callback that is still busy. Called by the callback itself it returns once the port is free,
        and the rest is done when the callback has returned."""
        with self._lock:
            first, self._stopping = not self._stopping, True
        own = threading.current_thread() is self._thread
        if first:
            self.native.stop_accepting()
            self.port_is_free.set()
            if own:
                threading.Thread(target=self._finish, name="vglb-stop", daemon=True).start()
            else:
                self._finish()
        elif not own:
            self.finished.wait()

    def forget(self) -> None:
        """In a forked child: nothing of it runs here."""
        self._stopping = True
        self.native.forget()
        self.port_is_free.set()
        self.finished.set()

    def _finish(self) -> None:
        if not self.native.stop():
            logger.warning("a client was cut off in the middle of a LUT")
        self._close()
        if self._thread is not None:
            self._thread.join(_CALLBACK_PATIENCE_S)
            if self._thread.is_alive():
                logger.warning("the LUT callback has not returned; its thread ends when it does")
        _logs.release()
        _servers.discard(self)
        self.finished.set()


@atexit.register
def _stop_all() -> None:
    # So that clients get their answers and streams end in order, while Python still works.
    for server in list(_servers):
        server.stop()
        server.finished.wait()


def _forget_all() -> None:
    for server in list(_servers):
        server.forget()
    _servers.clear()
    _logs.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
