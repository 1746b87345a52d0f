"""What can go wrong."""


class StreamingError(RuntimeError):
    """A texture could not be shared, received or sent."""


class PlatformNotSupportedError(StreamingError):
    """This way of sharing textures does not exist on this computer."""


class InitializationError(StreamingError):
    """A stream could not be started."""


class TextureFormatError(StreamingError, ValueError):
    """An array is not what is wanted: its type, its shape or its values. The message says what was given and what would
    be right."""


class LutRefusedError(StreamingError):
    """A server refused a LUT. The message is the server's."""


class ServerStartError(OSError, RuntimeError):
    """A server could not start: the port is in use, or the address is not one of this computer's. `errno` is the
    system's number where it gave one."""
