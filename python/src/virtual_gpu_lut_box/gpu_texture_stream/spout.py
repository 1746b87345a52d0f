"""Windows: Spout."""

from virtual_gpu_lut_box.gpu_texture_stream.native_backend import NativeBackend


class SpoutBackend(NativeBackend):
    """Windows: Spout. Can be made everywhere; `is_available` tells whether it works here."""

    backend_name = "spout"
