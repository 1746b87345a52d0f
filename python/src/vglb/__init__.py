"""`import vglb`: a short name for virtual_gpu_lut_box."""

from virtual_gpu_lut_box import *  # noqa: F403
from virtual_gpu_lut_box import __all__ as __all__
