"""The command line: the same program as the one that comes without Python."""

import signal
import sys
import threading
from collections.abc import Sequence

from virtual_gpu_lut_box import _native


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command line (without the program's name), and returns the exit code; by default this program's own."""
    command_line = list(sys.argv) if arguments is None else ["virtual-gpu-lut-box", *arguments]
    if threading.current_thread() is not threading.main_thread():
        return _native.run_command_line(command_line)
    # Python's own handler waits for Python code to run, and none does until the command is done.
    python_handler = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return _native.run_command_line(command_line)
    finally:
        signal.signal(signal.SIGINT, python_handler)
