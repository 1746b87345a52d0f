"""Linux: shared memory, and where possible GPU images."""

from virtual_gpu_lut_box.gpu_texture_stream.native_backend import NativeBackend


class LinuxBackend(NativeBackend):
    """Linux: shared memory, and where possible GPU images. Can be made everywhere; `is_available` tells whether it works here."""

    backend_name = "linux"
