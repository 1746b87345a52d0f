"""This process's own memory, for tests."""

from virtual_gpu_lut_box.gpu_texture_stream.native_backend import NativeBackend


class MemoryBackend(NativeBackend):
    """This process's own memory, for tests. Can be made everywhere; `is_available` tells whether it works here."""

    backend_name = "memory"
