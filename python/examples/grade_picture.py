"""A picture seen through a LUT: `python grade_picture.py LUT.cube IN.npy OUT.npy`. The picture is float32, (height,
width, 3 or 4), with values from 0 to 1."""

import sys

import numpy as np

from virtual_gpu_lut_box import apply_lut, read_cube


def main() -> None:
    lut_file, source, target = sys.argv[1:]
    lut = read_cube(lut_file)
    picture = np.load(source)
    np.save(target, apply_lut(picture, lut))
    print(f"{picture.shape[1]}×{picture.shape[0]} through {len(lut)}³")


if __name__ == "__main__":
    main()
