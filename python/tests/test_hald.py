"""HaldConverter: LUTs as textures and back."""

import numpy as np
import pytest
from wire import random_lut, same_bits, strip

import virtual_gpu_lut_box as vglb


@pytest.mark.parametrize("size", [2, 3, 16, 17, 33])
def test_the_default_layout_is_row_r_and_column_b_n_plus_g(size):
    converter = vglb.HaldConverter(size)
    lut = random_lut(size)
    hald = converter.lut_to_hald(lut)
    assert hald.shape == (size, size * size, 4)
    assert same_bits(hald, strip(lut))
    assert same_bits(converter.hald_to_lut(hald), lut)
    assert same_bits(converter.hald_to_lut(hald[..., :3]), lut)


def test_rgba_is_taken_and_alpha_is_one():
    lut = random_lut(4)
    rgba = np.concatenate([lut, np.full((4, 4, 4, 1), 0.25, np.float32)], axis=-1)
    assert same_bits(vglb.HaldConverter(4).lut_to_hald(rgba), strip(lut))


def position(layout, n, r, g, b):
    """Row and column of an entry, from the table in docs/layouts.md."""
    level = round(n**0.5)
    p = r + n * (g + n * b)
    return {
        "vglb": (r, b * n + g),
        "unreal": (g, b * n + r),
        "unity": (n - 1 - g, b * n + r),
        "hald-clut": divmod(p, level**3),
    }[layout]


@pytest.mark.parametrize("layout", ["vglb", "unreal", "unity", "hald-clut"])
def test_every_layout_is_as_documented(layout):
    n = 4
    converter = vglb.HaldConverter(n, layout)
    lut = random_lut(n)
    hald = converter.lut_to_hald(lut)
    assert hald.shape == (converter.hald_height, converter.hald_width, 4)
    for r, g, b in np.ndindex(n, n, n):
        row, column = position(layout, n, r, g, b)
        assert same_bits(hald[row, column, :3], lut[r, g, b])
    assert (hald[..., 3] == 1).all()
    assert same_bits(converter.hald_to_lut(hald), lut)


def test_nan_goes_through_bit_for_bit():
    bits = np.full((2, 2, 2, 3), 0x7FA12345, np.uint32)
    bits[1, 0, 1] = 0xFFC00001
    hald = vglb.HaldConverter(2).lut_to_hald(bits.view(np.float32))
    assert hald.view(np.uint32)[0, 0, :3].tolist() == [0x7FA12345] * 3
    assert hald.view(np.uint32)[1, 2, :3].tolist() == [0xFFC00001] * 3


def test_the_default_is_33():
    converter = vglb.HaldConverter()
    assert (converter.lut_size, converter.hald_width, converter.hald_height) == (33, 1089, 33)


@pytest.mark.parametrize("size", [-5, 0, 1, 129, 257, 10**9])
def test_sizes_without_a_texture_are_refused(size):
    with pytest.raises(ValueError, match=str(size)):
        vglb.HaldConverter(size)


def test_a_hald_clut_needs_a_square_size():
    with pytest.raises(ValueError, match="33 is not"):
        vglb.HaldConverter(33, "hald-clut")
    with pytest.raises(ValueError, match='"spiral" is no layout'):
        vglb.HaldConverter(33, "spiral")


def test_luts_and_textures_of_other_sizes_are_refused():
    converter = vglb.HaldConverter(3)
    with pytest.raises(vglb.TextureFormatError, match="grid size 3, not 4"):
        converter.lut_to_hald(random_lut(4))
    for shape in [(3, 9), (9, 3, 4), (3, 9, 2), (4, 16, 4), (3, 9, 5)]:
        with pytest.raises(vglb.TextureFormatError, match=r"\(3, 9, 4\) or \(3, 9, 3\)"):
            converter.hald_to_lut(np.zeros(shape, np.float32))
    with pytest.raises(vglb.TextureFormatError, match="float64"):
        converter.hald_to_lut(np.zeros((3, 9, 4)))
