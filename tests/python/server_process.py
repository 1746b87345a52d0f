"""A server that runs as a process of its own, as a user would start it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

# Generous: it only matters where something is broken.
DEADLINE_S = 60

LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")


class ServerProcess:
    """`command` runs with a runtime folder of its own until `stop`; `port` is where it listens."""

    def __init__(self, command, environment=None):
        # Not pytest's folder for the test: the path of a socket in it may be too long for the system.
        self.runtime_dir = Path(tempfile.mkdtemp(prefix="vglb-"))
        self.port = None
        self._lines = []
        self._changed = threading.Condition()
        self._ended = False
        self.process = subprocess.Popen(
            [str(word) for word in command],
            env={
                **os.environ,
                "VGLB_RUNTIME_DIR": str(self.runtime_dir),
                "VGLB_STATE_DIR": str(self.runtime_dir / "state"),
                # No test depends on the configuration of whoever runs it.
                "VGLB_NO_CONFIG": "true",
                **(environment or {}),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            # On Windows, so that it alone can be told to end.
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def output(self):
        """All that it has printed until now."""
        with self._changed:
            return "".join(self._lines)

    def wait_until_listening(self):
        """Returns the port; fails with the server's own words where it ends instead."""
        with self._changed:
            self._changed.wait_for(lambda: self.port is not None or self._ended, DEADLINE_S)
        assert self.port is not None, f"the server does not listen; it printed:\n{self.output}"
        return self.port

    def wait_for_output(self, text):
        """Waits until the server has printed `text`."""
        with self._changed:
            self._changed.wait_for(lambda: text in "".join(self._lines) or self._ended, DEADLINE_S)
        assert text in self.output, f"the server did not print {text!r}, but:\n{self.output}"

    def stop(self):
        """Ends it as Ctrl-C does, and returns its exit code. Does nothing to one that has ended already."""
        if self.process.poll() is None:
            self.process.send_signal(signal.CTRL_BREAK_EVENT if sys.platform == "win32" else signal.SIGINT)
        try:
            code = self.process.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"the server goes on after Ctrl-C; it printed:\n{self.output}") from None
        self._clean_up()
        return code

    def kill(self):
        """Ends it without giving it a chance to clean up; its runtime folder stays until `stop`."""
        self.process.kill()
        self.process.wait()
        self._reader.join()

    def _read(self):
        for line in self.process.stdout:
            listening = LISTENING.search(line)
            with self._changed:
                self._lines.append(line)
                if listening:
                    self.port = int(listening[1])
                self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _clean_up(self):
        self._reader.join()
        self.process.stdout.close()
        shutil.rmtree(self.runtime_dir, ignore_errors=True)
