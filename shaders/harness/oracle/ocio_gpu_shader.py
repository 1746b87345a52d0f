"""Writes the GPU shader that OpenColorIO generates for a LUT: ocio_gpu_shader.py N ENTRIES FOLDER.

ENTRIES holds N^3 RGB float32 triplets, blue fastest. FOLDER gets ocio_N.glsl, the shader's text, and ocio_N.f32, the
values of its one 3D texture, RGB float32. Interpolation is tetrahedral.
"""

import pathlib
import sys

import numpy
import PyOpenColorIO

size, entries, folder = int(sys.argv[1]), sys.argv[2], pathlib.Path(sys.argv[3])
transform = PyOpenColorIO.Lut3DTransform(gridSize=size)
transform.setInterpolation(PyOpenColorIO.INTERP_TETRAHEDRAL)
transform.setData(numpy.fromfile(entries, numpy.float32))
shader = PyOpenColorIO.GpuShaderDesc.CreateShaderDesc(language=PyOpenColorIO.GPU_LANGUAGE_GLSL_4_0)
processor = PyOpenColorIO.Config.CreateRaw().getProcessor(transform).getDefaultGPUProcessor()
processor.extractGpuShaderInfo(shader)
(texture,) = shader.get3DTextures()
assert texture.edgeLen == size and not list(shader.getTextures())
(folder / f"ocio_{size}.glsl").write_text(shader.getShaderText().replace(texture.samplerName, "ocio_lut"))
texture.getValues().astype(numpy.float32).tofile(folder / f"ocio_{size}.f32")
print(f"OpenColorIO {PyOpenColorIO.__version__}, {size}^3: {folder}/ocio_{size}.glsl")
