"""OpenGradeIO messages as dictionaries, for programs that bring their own BSON and sockets."""

import logging
from typing import Any, TypeGuard

from virtual_gpu_lut_box import _native
from virtual_gpu_lut_box._arrays import FloatArray
from virtual_gpu_lut_box._errors import TextureFormatError

logger = logging.getLogger(__name__)


class ProtocolHandler:
    """Understands decoded OpenGradeIO messages. The server does not need it: it reads messages as they arrive."""

    def __init__(self) -> None:
        self.supported_commands = {"setLUT", "setCDL"}

    def parse_message(self, message: Any) -> dict[str, Any] | None:
        """A message's `command`, its `arguments` (empty where it has none), and as `metadata` all other fields.

        None, with a warning on the log, where it is no message or its command is unknown.
        """
        if not _is_document(message):
            logger.warning("a message must be a dict, not %s", type(message).__name__)
            return None
        command = message.get("command")
        if not isinstance(command, str) or command not in self.supported_commands:
            known = ", ".join(sorted(self.supported_commands))
            logger.warning("a message with the command %r is not understood; known are %s", command, known)
            return None
        arguments = message.get("arguments")
        return {
            "command": command,
            "arguments": {} if arguments is None else arguments,
            "metadata": {key: value for key, value in message.items() if key not in ("command", "arguments")},
        }

    def process_set_lut_command(self, arguments: dict[str, Any]) -> tuple[FloatArray, dict[str, Any]] | None:
        """The LUT in the arguments of `setLUT`, and the other arguments.

        The LUT is float32 of shape (N, N, N, 3), indexed `[r, g, b]`; of shape (N, N, N, 4) where an alpha is not 1.
        None, with an error on the log, where there is no LUT in them.
        """
        try:
            lut = _lut(arguments)
        except TextureFormatError as error:
            logger.error("setLUT: %s", error)
            return None
        return lut, {key: value for key, value in arguments.items() if key != "lutData"}

    def create_response(self, success: bool = True, error: str | None = None) -> dict[str, Any]:
        """The reply: `{"result": 1}`, or `{"result": 0, "error": …}`."""
        return {"result": 1} if success else {"result": 0, "error": error or "Unknown error"}


def _is_document(message: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(message, dict)


def _lut(arguments: dict[str, Any]) -> FloatArray:
    data: Any = arguments.get("lutData")
    try:
        lut = _native.lut_from_wire(bytes(memoryview(data)))
    except TypeError:
        raise TextureFormatError(f'"lutData" must be bytes, not {type(data).__name__}') from None
    size = arguments.get("lutSize")
    if size is not None and size != len(lut):
        raise TextureFormatError(f'"lutSize" is {size!r}, but "lutData" holds {len(lut)}³ entries')
    return lut if (lut[..., 3] != 1).any() else lut[..., :3].copy()
