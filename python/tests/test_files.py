"""read_cube and write_cube."""

import numpy as np
import pytest
from wire import random_lut, same_bits

import virtual_gpu_lut_box as vglb


@pytest.mark.parametrize("size", [2, 3, 17, 33])
def test_a_lut_comes_back_bit_for_bit(tmp_path, size):
    lut = random_lut(size)
    path = tmp_path / "é grade.cube"
    assert vglb.write_cube(path, lut) is None
    assert same_bits(vglb.read_cube(path), lut)
    vglb.write_cube(str(path), np.concatenate([lut, lut[..., :1]], axis=-1))
    assert same_bits(vglb.read_cube(str(path)), lut)


def test_a_file_is_red_fastest_text(tmp_path):
    lut = np.arange(24, dtype=np.float32).reshape(2, 2, 2, 3)
    path = tmp_path / "x.cube"
    vglb.write_cube(path, lut, title="A “look”", comments=["one", "two\nlines"])
    lines = path.read_text("utf-8").splitlines()
    assert lines[0] == 'TITLE "A “look”"'
    assert lines[1:4] == ["# one", "# two", "# lines"]
    assert "LUT_3D_SIZE 2" in lines
    rows = [[float(v) for v in line.split()] for line in lines[-8:]]
    assert rows[1] == lut[1, 0, 0].tolist()
    assert rows[2] == lut[0, 1, 0].tolist()
    assert rows[4] == lut[0, 0, 1].tolist()


def test_a_file_of_others_is_read(tmp_path):
    path = tmp_path / "x.cube"
    path.write_bytes(b"\xef\xbb\xbfTITLE \"t\"\r\n# c\r\n\r\nLUT_3D_SIZE 2\r\n" + b"".join(b"%d 0.5 1e-3\r\n" % i for i in range(8)))
    lut = vglb.read_cube(path)
    assert lut.shape == (2, 2, 2, 3)
    assert lut[1, 0, 0].tolist() == [1, 0.5, np.float32(1e-3)]
    assert lut[0, 0, 1, 0] == 4


def test_a_1d_lut_is_only_baked_on_demand(tmp_path):
    path = tmp_path / "curve.cube"
    path.write_text("LUT_1D_SIZE 2\n0 0 0\n2 1 0.5\n")
    with pytest.raises(ValueError, match="1D LUT of 2 entries.*bake=True"):
        vglb.read_cube(path)
    assert vglb.read_cube(path, bake=True).shape == (33, 33, 33, 3)
    assert vglb.read_cube(path, bake=True, size=3)[1, 2, 2].tolist() == [1, 1, 0.5]
    with pytest.raises(ValueError, match="257"):
        vglb.read_cube(path, bake=True, size=257)


def test_a_domain_is_only_baked_on_demand(tmp_path):
    path = tmp_path / "domain.cube"
    rows = "\n".join(f"{r} {g} {b}" for b in (0, 2) for g in (0, 2) for r in (0, 2))
    path.write_text(f"LUT_3D_SIZE 2\nDOMAIN_MIN 0 0 0\nDOMAIN_MAX 2 2 2\n{rows}\n")
    with pytest.raises(ValueError, match="domain is 0 to 2"):
        vglb.read_cube(path)
    assert vglb.read_cube(path, bake=True, size=2)[1, 0, 1].tolist() == [1, 0, 1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "neither LUT_3D_SIZE nor"), ("LUT_3D_SIZE 2\n0 0 0\n", "cut off"), ("LUT_3D_SIZE 2\n0 0 x\n", "line 2")],
)
def test_a_file_that_is_wrong_is_a_valueerror_that_says_where(tmp_path, text, reason):
    path = tmp_path / "bad.cube"
    path.write_text(text)
    with pytest.raises(ValueError, match=reason) as caught:
        vglb.read_cube(path)
    assert "bad.cube" in str(caught.value)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(FileNotFoundError) as caught:
        vglb.read_cube(tmp_path / "absent.cube")
    assert caught.value.filename == str(tmp_path / "absent.cube")
    with pytest.raises(FileNotFoundError):
        vglb.write_cube(tmp_path / "absent" / "x.cube", random_lut(2))
    with pytest.raises(OSError):
        vglb.read_cube(tmp_path)


def test_what_cannot_be_written_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "x.cube"
    lut = random_lut(2)
    vglb.write_cube(path, lut)
    with pytest.raises(FileExistsError, match="overwrite is False"):
        vglb.write_cube(path, random_lut(3), overwrite=False)
    with pytest.raises(vglb.TextureFormatError, match="NaN"):
        vglb.write_cube(path, np.full((2, 2, 2, 3), np.nan, np.float32))
    with pytest.raises(ValueError, match=r"ends in \.cube"):
        vglb.write_cube(tmp_path / "x.exr", lut)
    assert same_bits(vglb.read_cube(path), lut)
    assert [p.name for p in tmp_path.iterdir()] == ["x.cube"]
