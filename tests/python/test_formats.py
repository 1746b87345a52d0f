"""LUT files against OpenColorIO: it reads what `vglb convert` writes to the same bits, and `vglb` reads what it writes."""

import subprocess

import numpy as np
import PyOpenColorIO as ocio
import pytest


def convert(vglb, *arguments):
    done = subprocess.run([vglb, "convert", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def awkward(size):
    """A LUT of values of every magnitude, `[r, g, b]`; OpenColorIO takes no subnormal ones."""
    random = np.random.default_rng(size)
    lut = random.uniform(-0.5, 1.5, (size, size, size, 3)).astype(np.float32)
    flat = lut.reshape(-1)
    flat[::7] = (flat[::7] * 10.0 ** random.integers(-30, 30, flat[::7].shape)).astype(np.float32)
    flat[:4] = [-0.0, 1e38, 1.17549435e-38, -3.4e38]
    return lut


def codes(size, largest):
    """A LUT of whole numbers that reaches its largest."""
    random = np.random.default_rng(size)
    lut = random.integers(0, largest, (size, size, size, 3), endpoint=True)
    lut[-1, -1, -1] = largest
    return lut


def by_opencolorio(path):
    """The steps that it finds in a file."""
    transform = ocio.FileTransform(src=str(path), interpolation=ocio.INTERP_TETRAHEDRAL)
    processor = ocio.Config.CreateRaw().getProcessor(transform)
    return processor, list(processor.createGroupTransform())


def cube_of(path):
    """The only 3D LUT in a file, `[r, g, b]`."""
    _, steps = by_opencolorio(path)
    assert [type(step) for step in steps] == [ocio.Lut3DTransform], steps
    size = steps[0].getGridSize()
    return np.asarray(steps[0].getData(), np.float32).reshape(size, size, size, 3)


def by_vglb(vglb, path, folder, *arguments):
    """The LUT that `vglb` finds in a file, `[r, g, b]`."""
    out = folder / f"{path.name}.npy"
    convert(vglb, path, out, "--force", *arguments)
    strip = np.load(out)[..., :3]
    size = strip.shape[0]
    return strip.reshape(size, size, size, 3).transpose(0, 2, 1, 3)


def assert_same_bits(got, want):
    got, want = (np.ascontiguousarray(lut, np.float32) for lut in (got, want))
    assert got.shape == want.shape
    assert (got.view(np.uint32) == want.view(np.uint32)).all()


@pytest.mark.parametrize("extension", ["cube", "spi3d", "csp", "clf", "ctf"])
@pytest.mark.parametrize("size", [2, 5, 17])
def test_opencolorio_reads_our_decimal_files_to_the_same_bits(vglb, tmp_path, extension, size):
    lut = awkward(size)
    np.save(tmp_path / "in.npy", lut)
    path = tmp_path / f"out.{extension}"
    convert(vglb, tmp_path / "in.npy", path)
    assert_same_bits(cube_of(path), lut)
    assert_same_bits(by_vglb(vglb, path, tmp_path), lut)


@pytest.mark.parametrize("dialect", ["flame", "lustre"])
@pytest.mark.parametrize("bits", [10, 12, 16])
@pytest.mark.parametrize("size", [17, 33])
def test_opencolorio_reads_our_whole_numbers_as_we_do(vglb, tmp_path, dialect, bits, size):
    largest = 2**bits - 1
    lut = codes(size, largest).astype(np.float32) / np.float32(largest)
    np.save(tmp_path / "in.npy", lut)
    path = tmp_path / "out.3dl"
    convert(vglb, tmp_path / "in.npy", path, "--dialect", dialect, "--depth", bits)
    assert_same_bits(cube_of(path), lut)
    assert_same_bits(by_vglb(vglb, path, tmp_path), lut)


def config_with_grade():
    """A configuration whose space `graded` is a gamma away from `raw`, with a cast."""
    config = ocio.Config.CreateRaw()
    group = ocio.GroupTransform()
    group.appendTransform(ocio.MatrixTransform(matrix=[0.9, 0.1, 0, 0, 0.05, 0.9, 0.05, 0, 0, 0, 1, 0, 0, 0, 0, 1]))
    group.appendTransform(ocio.ExponentTransform(value=[2.2, 2.0, 1.8, 1.0]))
    config.addColorSpace(ocio.ColorSpace(name="graded", fromReference=group))
    return config


BAKED = {"flame": "3dl", "lustre": "3dl", "cinespace": "csp", "iridas_cube": "cube"}


@pytest.mark.parametrize("name, extension", BAKED.items())
def test_what_opencolorio_bakes_is_read_as_it_reads_it(vglb, tmp_path, name, extension):
    config = config_with_grade()
    baker = ocio.Baker(config=config, format=name, inputSpace="raw", targetSpace="graded", cubeSize=17)
    path = tmp_path / f"{name}.{extension}"
    path.write_text(baker.bake())
    assert_same_bits(by_vglb(vglb, path, tmp_path), cube_of(path))


def chain(*steps):
    group = ocio.GroupTransform()
    for step in steps:
        group.appendTransform(step)
    return group


def lut1d():
    curve = ocio.Lut1DTransform(9, False)
    for i in range(9):
        curve.setValue(i, (i / 8) ** 2.2, 0.1 + 0.8 * i / 8, (i / 8) ** 0.5)
    return curve


def lut3d():
    lut = ocio.Lut3DTransform(5)
    values = awkward(5).clip(-2, 2).reshape(5, 5, 5, 3)
    for r in range(5):
        for g in range(5):
            for b in range(5):
                lut.setValue(r, g, b, *map(float, values[r, g, b]))
    lut.setInterpolation(ocio.INTERP_TETRAHEDRAL)
    return lut


def matrix():
    step = ocio.MatrixTransform(matrix=[0.8, 0.2, 0, 0, 0.1, 0.9, 0, 0, 0, 0.3, 0.7, 0, 0, 0, 0, 1])
    step.setOffset([0.05, -0.02, 0, 0])
    return step


def ranged():
    return ocio.RangeTransform(minInValue=0.1, maxInValue=0.9, minOutValue=0.0, maxOutValue=1.0)


def cdl():
    return ocio.CDLTransform(slope=[1.1, 1.0, 0.9], offset=[0.02, 0, -0.02], power=[1.1, 1, 0.9], sat=0.8)


CHAINS = {
    "cube": lambda: chain(lut3d()),
    "curve": lambda: chain(lut1d()),
    "curve and cube": lambda: chain(lut1d(), lut3d()),
    "all around": lambda: chain(matrix(), ranged(), lut1d(), lut3d(), matrix()),
    "cdl": lambda: chain(cdl(), lut1d()),
}


CHAIN_FORMATS = {"clf": "Academy/ASC Common LUT Format", "ctf": "Color Transform Format"}


@pytest.mark.parametrize("extension, name", CHAIN_FORMATS.items())
@pytest.mark.parametrize("steps", CHAINS)
def test_a_chain_does_what_it_does_in_opencolorio(vglb, tmp_path, extension, name, steps):
    config = ocio.Config.CreateRaw()
    path = tmp_path / f"chain.{extension}"
    path.write_text(CHAINS[steps]().write(config=config, formatName=name))
    # OpenColorIO rounds to float32 between the steps, and the LUT's slopes make more of that.
    assert_same_as_processor(vglb, path, tmp_path, 4e-6)


BASIC = '<ExponentParams exponent="2.2"/>'
EACH = '<ExponentParams channel="R" exponent="1.8"/><ExponentParams channel="G" exponent="0.45"/><ExponentParams channel="B" exponent="3"/>'
MONITOR = '<ExponentParams exponent="2.4" offset="0.055"/>'
IDLE = '<ExponentParams exponent="1" offset="0"/>'
LOG = '<LogParams base="10" logSideSlope="0.256663" logSideOffset="0.584555" linSideSlope="0.9892" linSideOffset="0.0108"/>'
CAMERA = '<LogParams base="2" logSideSlope="0.0570776" logSideOffset="0.5547945" linSideSlope="1" linSideOffset="0" linSideBreak="0.0078125"{}/>'
FUNCTIONS = {
    **{f"basic{style}": ("Exponent", f"basic{style}", BASIC) for style in ["Fwd", "Rev", "MirrorFwd", "MirrorRev", "PassThruFwd", "PassThruRev"]},
    **{f"monCurve{style}": ("Exponent", f"monCurve{style}", MONITOR) for style in ["Fwd", "Rev", "MirrorFwd", "MirrorRev"]},
    "each": ("Exponent", "basicMirrorFwd", EACH),
    "idle": ("Exponent", "monCurveFwd", IDLE),
    **{style: ("Log", style, "") for style in ["log10", "antiLog10", "log2", "antiLog2"]},
    **{style: ("Log", style, LOG) for style in ["linToLog", "logToLin"]},
    **{style: ("Log", style, CAMERA.format("")) for style in ["cameraLinToLog", "cameraLogToLin"]},
    **{f"{style} with a slope": ("Log", style, CAMERA.format(' linearSlope="9.5"')) for style in ["cameraLinToLog", "cameraLogToLin"]},
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_does_what_it_does_in_opencolorio(vglb, tmp_path, function):
    element, style, params = FUNCTIONS[function]
    path = tmp_path / "function.clf"
    # From -0.5 to 1.75, so that negative values are seen.
    path.write_text(
        '<?xml version="1.0" encoding="UTF-8"?>\n<ProcessList id="a" compCLFversion="3.0">\n'
        '<Matrix inBitDepth="32f" outBitDepth="32f"><Array dim="3 4">2.25 0 0 -0.5 0 2.25 0 -0.5 0 0 2.25 -0.5</Array></Matrix>\n'
        f'<{element} inBitDepth="32f" outBitDepth="32f" style="{style}">{params}</{element}>\n</ProcessList>\n'
    )
    # It reckons in float32.
    assert_same_as_processor(vglb, path, tmp_path, 2e-6)


def assert_same_as_processor(vglb, path, folder, tolerance):
    size = 33
    ours = by_vglb(vglb, path, folder, "--bake", "--size", size).reshape(-1, 3)
    steps = np.arange(size, dtype=np.float64) / (size - 1)
    theirs = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3).astype(np.float32)
    processor, _ = by_opencolorio(path)
    processor.getOptimizedCPUProcessor(ocio.OPTIMIZATION_NONE).applyRGB(theirs)
    difference = np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))
    print(f"{path.name}: {difference.max():.2g} from OpenColorIO")
    assert difference.max() <= tolerance


def csp(prelut):
    lut = awkward(5).clip(-2, 2)
    rows = lut.transpose(2, 1, 0, 3).reshape(-1, 3)
    text = "\n".join(" ".join(map(repr, map(float, row))) for row in rows)
    return f"CSPLUTV100\n3D\n\n{prelut}\n5 5 5\n{text}\n"


PRELUTS = {
    "domain": "2\n0 2\n0 1\n2\n-1 1\n0 1\n2\n0 1\n0 1\n",
    "line": "2\n0 1\n0.1 0.8\n" * 3,
    "curve": "6\n0 0.05 0.2 0.4 0.7 1\n0 0.3 0.5 0.7 0.9 1\n3\n0 0.5 1\n0 0.7 1\n2\n0 1\n0 1\n",
}


@pytest.mark.parametrize("prelut", PRELUTS)
def test_a_prelut_does_what_it_does_in_opencolorio(vglb, tmp_path, prelut):
    path = tmp_path / "prelut.csp"
    path.write_text(csp(PRELUTS[prelut]))
    # OpenColorIO makes 65536 steps of a prelut, and the LUT is steep.
    assert_same_as_processor(vglb, path, tmp_path, 1e-5)


def test_a_3dl_with_a_shaper_does_what_it_does_in_opencolorio(vglb, tmp_path):
    rows = codes(5, 4095).reshape(-1, 3)
    path = tmp_path / "shaper.3dl"
    path.write_text("0 100 300 700 1023\n" + "\n".join(" ".join(map(str, row)) for row in rows) + "\n")
    assert_same_as_processor(vglb, path, tmp_path, 1e-6)


CDL_FORMATS = {"cc": "ColorCorrection", "ccc": "ColorCorrectionCollection", "cdl": "ColorDecisionList"}


@pytest.mark.parametrize("extension, name", CDL_FORMATS.items())
def test_cdls_go_both_ways(vglb, tmp_path, extension, name):
    theirs = tmp_path / f"theirs.{extension}"
    transform = cdl()
    transform.setID("shot-1")
    theirs.write_text(chain(transform).write(config=ocio.Config.CreateRaw(), formatName=name))
    for to in ["cc", "ccc", "cdl"]:
        path = tmp_path / f"ours-{extension}.{to}"
        convert(vglb, theirs, path)
        back = ocio.CDLTransform.CreateFromFile(str(path), "shot-1" if to != "cc" else "")
        assert (back.getSlope(), back.getOffset(), back.getPower(), back.getSat()) == (
            transform.getSlope(),
            transform.getOffset(),
            transform.getPower(),
            transform.getSat(),
        )


def test_dat_and_vlt_list_their_entries_in_their_orders(vglb, tmp_path):
    """What OpenColorIO does not read, by hand: `.dat` is blue fastest, `.vlt` red fastest and of 12 bits."""
    lut = codes(17, 4095)
    np.save(tmp_path / "in.npy", lut.astype(np.float32) / np.float32(4095))
    convert(vglb, tmp_path / "in.npy", tmp_path / "out.dat")
    head, rest = (tmp_path / "out.dat").read_text().split("\n", 1)
    assert head == "3DLUTSIZE 17"
    rows = np.array(rest.split(), np.float32).reshape(17, 17, 17, 3)
    assert_same_bits(rows, lut.astype(np.float32) / np.float32(4095))
    convert(vglb, tmp_path / "in.npy", tmp_path / "out.vlt")
    lines = (tmp_path / "out.vlt").read_text().splitlines()
    assert lines[:2] == ["# panasonic vlt file version 1.0", '# source vlt file ""']
    assert lines[2:4] == ["LUT_3D_SIZE 17", ""]
    rows = np.array(" ".join(lines[4:]).split(), int).reshape(17, 17, 17, 3)
    assert (rows.transpose(2, 1, 0, 3) == lut).all()
