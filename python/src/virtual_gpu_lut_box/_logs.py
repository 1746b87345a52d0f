"""The native module's log, handed on to `logging`.

Its threads leave their records in a queue. While a server runs, one thread of ours hands them on as they come;
otherwise whoever has called the native module does, with `flush`.
"""

import logging
import threading

from virtual_gpu_lut_box import _native

PACKAGE = "virtual_gpu_lut_box"
EVENTS = f"{PACKAGE}.events"

# Levels may be changed at any time, and nobody tells us.
_LOOK_AT_LEVELS_EVERY_S = 1.0

_lock = threading.Lock()
_users = 0
_thread: threading.Thread | None = None


def acquire() -> None:
    """From now on, hand records on as they come."""
    global _users, _thread
    with _lock:
        if _users == 0:
            _set_level()
            _native.open_log()
            _thread = threading.Thread(target=_hand_on_until_closed, name="vglb-log", daemon=True)
            _thread.start()
        _users += 1


def release() -> None:
    """One `acquire` is over. With the last, what is left is handed on before this returns."""
    global _users, _thread
    ending = None
    with _lock:
        _users -= 1
        if _users == 0:
            _native.close_log()
            ending, _thread = _thread, None
    # A handler of a log record may stop a server.
    if ending is not None and ending is not threading.current_thread():
        ending.join()


def flush() -> None:
    """Hands on what there is now."""
    _set_level()
    with _lock:
        pumped = _users > 0
    if not pumped:
        _hand_on(_native.next_log_records(0.0) or [])


def forget() -> None:
    """In a forked child: nobody hands records on."""
    global _lock, _users, _thread
    _lock, _users, _thread = threading.Lock(), 0, None


def prepare() -> None:
    """Sees to it that records are kept for `flush`."""
    with _lock:
        _set_level()
        if _users == 0:
            _native.open_log()
            _native.close_log()


def _hand_on_until_closed() -> None:
    while (records := _native.next_log_records(_LOOK_AT_LEVELS_EVERY_S)) is not None:
        _hand_on(records)
        _set_level()


def _hand_on(records: list[tuple[str, int, str, str, int, str, float]]) -> None:
    for name, level, text, path, line, thread, created in records:
        logger = logging.getLogger(name)
        if not logger.isEnabledFor(level):
            continue
        attributes = {
            "name": name,
            "levelno": level,
            "levelname": logging.getLevelName(level),
            "msg": text,
            "pathname": path,
            "filename": path.replace("\\", "/").rpartition("/")[2],
            "lineno": line,
            "threadName": thread,
            "created": created,
            "msecs": created % 1 * 1000,
        }
        logger.handle(logging.makeLogRecord(attributes))


def _set_level() -> None:
    """The native module puts nothing into words that nobody wants."""
    loggers = [logging.getLogger(name) for name in (PACKAGE, EVENTS)]
    levels = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR)
    wanted = (level for level in levels if any(logger.isEnabledFor(level) for logger in loggers))
    _native.set_log_level(next(wanted, logging.CRITICAL))
