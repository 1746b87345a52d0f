"""macOS: Syphon."""

from virtual_gpu_lut_box.gpu_texture_stream.native_backend import NativeBackend


class SyphonBackend(NativeBackend):
    """macOS: Syphon. Can be made everywhere; `is_available` tells whether it works here."""

    backend_name = "syphon"
