"""Grades colours with OpenColorIO: opencolorio.py N ENTRIES COLOURS RESULT, all files raw float32.

ENTRIES holds N^3 RGB triplets, blue fastest; COLOURS and RESULT hold RGBA. Interpolation is tetrahedral.
"""

import sys

import numpy
import PyOpenColorIO

size, entries, colours, result = int(sys.argv[1]), *sys.argv[2:5]
transform = PyOpenColorIO.Lut3DTransform(gridSize=size)
transform.setInterpolation(PyOpenColorIO.INTERP_TETRAHEDRAL)
transform.setData(numpy.fromfile(entries, numpy.float32))
processor = PyOpenColorIO.Config.CreateRaw().getProcessor(transform).getDefaultCPUProcessor()
pixels = numpy.fromfile(colours, numpy.float32)
processor.applyRGBA(pixels)
pixels.tofile(result)
