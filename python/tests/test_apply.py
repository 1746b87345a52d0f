"""apply_lut, against a tetrahedral interpolation in float64 that is written down independently."""

import numpy as np
import pytest
from wire import random_lut, same_bits

import virtual_gpu_lut_box as vglb


def identity(n):
    axis = (np.arange(n) / (n - 1)).astype(np.float32)
    return np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)


def tetrahedral(color, lut):
    """By sorting the fractions: each step along an axis adds the difference of two corners."""
    last = len(lut) - 1
    scaled = np.clip(np.nan_to_num(color.astype(np.float64)), 0, 1) * last
    base = np.minimum(np.floor(scaled).astype(int), last - 1)
    fraction = scaled - base
    corner = base.copy()
    result = lut[tuple(corner)].astype(np.float64)
    for axis in np.argsort(-fraction, kind="stable"):
        before = lut[tuple(corner)].astype(np.float64)
        corner[axis] += 1
        result += fraction[axis] * (lut[tuple(corner)].astype(np.float64) - before)
    return result


def test_it_agrees_with_the_formula():
    rng = np.random.default_rng(1)
    for n in (2, 17, 33):
        lut = rng.normal(size=(n, n, n, 3)).astype(np.float32)
        image = rng.uniform(-0.2, 1.2, (500, 3)).astype(np.float32)
        wanted = np.array([tetrahedral(color, lut) for color in image])
        assert np.abs(vglb.apply_lut(image, lut) - wanted).max() < 1e-5


def test_lattice_points_give_their_entries_bit_for_bit():
    for n in (2, 17, 33):
        lut = random_lut(n)
        assert same_bits(vglb.apply_lut(identity(n), lut), lut)
        assert same_bits(vglb.apply_lut(identity(n), lut, "trilinear"), lut)


def test_the_identity_returns_its_input():
    image = np.random.default_rng(2).random((1000, 3), dtype=np.float32)
    assert np.abs(vglb.apply_lut(image, identity(33)) - image).max() <= 2 * np.finfo(np.float32).eps


def test_values_outside_are_clamped_and_nan_is_zero_and_results_are_not_clamped():
    lut = identity(5) * np.float32(8) - np.float32(2)
    image = np.array([[-1, 2, np.nan], [np.inf, -np.inf, 0.5]], np.float32)
    assert vglb.apply_lut(image, lut).tolist() == [[-2, 6, -2], [6, -2, 2]]


@pytest.mark.parametrize("shape", [(3,), (4,), (1, 4), (0, 3), (7, 5, 3), (6, 4, 4), (2, 3, 4, 5, 3), (300, 400, 4)])
def test_the_pictures_shape_and_alpha_stay(shape):
    image = np.random.default_rng(3).random(shape, dtype=np.float32)
    before = image.copy()
    lut = identity(3)[::-1]
    graded = vglb.apply_lut(image, lut)
    assert graded.shape == shape
    assert graded.dtype == np.float32
    assert same_bits(image, before)
    if shape[-1] == 4:
        assert same_bits(graded[..., 3].copy(), image[..., 3].copy())
    assert np.abs(graded[..., 0] - (1 - image[..., 0])).max(initial=0) < 1e-6


def test_a_large_picture_is_the_same_as_its_parts():
    rng = np.random.default_rng(4)
    lut = rng.random((9, 9, 9, 3), dtype=np.float32)
    image = rng.random((700, 333, 3), dtype=np.float32)
    whole = vglb.apply_lut(image, lut)
    assert same_bits(whole, np.concatenate([vglb.apply_lut(row, lut)[None] for row in image]))


def test_trilinear_differs_where_it_should():
    lut = np.zeros((2, 2, 2, 3), np.float32)
    lut[1, 1, 1] = 1
    middle = np.full(3, 0.5, np.float32)
    assert vglb.apply_lut(middle, lut).tolist() == [0.5] * 3
    assert vglb.apply_lut(middle, lut, "trilinear").tolist() == [0.125] * 3


def test_what_cannot_be_applied_is_refused():
    lut = identity(2)
    image = np.zeros((2, 3), np.float32)
    for picture in (np.zeros((2, 2), np.float32), np.array(1, np.float32), np.zeros((3, 5), np.float32)):
        with pytest.raises(vglb.TextureFormatError, match="3 or 4 components"):
            vglb.apply_lut(picture, lut)
    for picture in (np.zeros((2, 3)), np.zeros((2, 3), np.uint8)):
        with pytest.raises(vglb.TextureFormatError, match="a picture must be float32"):
            vglb.apply_lut(picture, lut)
    with pytest.raises(vglb.TextureFormatError, match="a LUT must have the shape"):
        vglb.apply_lut(image, image)
    with pytest.raises(vglb.TextureFormatError, match="NaN"):
        vglb.apply_lut(image, np.full((2, 2, 2, 3), np.nan, np.float32))
    with pytest.raises(ValueError, match="tetrahedral, trilinear"):
        vglb.apply_lut(image, lut, "cubic")
