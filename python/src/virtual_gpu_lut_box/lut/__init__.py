"""LUTs as arrays, as textures and in files."""

from virtual_gpu_lut_box.lut.apply import apply_lut
from virtual_gpu_lut_box.lut.files import read_cube, write_cube
from virtual_gpu_lut_box.lut.hald_converter import HaldConverter

__all__ = ["HaldConverter", "apply_lut", "read_cube", "write_cube"]
