"""Baked CDL values against OpenColorIO's processor: in both styles, and in ACEScct around a linear picture.

The server bakes what `setCDL` brings and exports the LUT; OpenColorIO grades the same lattice."""

import time
import urllib.error
import urllib.request

import numpy as np
import PyOpenColorIO as ocio
import pytest
from client import Client

SIZE = 33

CDLS = {
    "nothing": ([1, 1, 1], [0, 0, 0], [1, 1, 1], 1),
    "warm": ([1.2, 1.0, 0.8], [0.02, 0.0, -0.03], [0.9, 1.0, 1.15], 0.85),
    "crushed": ([1.6, 1.5, 1.4], [-0.3, -0.25, -0.2], [1.5, 1.4, 1.3], 1.4),
    "lifted": ([0.5, 0.6, 0.7], [0.4, 0.3, 0.2], [0.5, 0.6, 0.7], 0.5),
    "grey": ([2.0, 1.0, 0.5], [0.1, -0.1, 0.0], [2.0, 0.25, 1.0], 0.0),
    "gaudy": ([1.0, 1.1, 0.9], [0.0, 0.05, -0.05], [1.2, 1.0, 0.8], 3.0),
    "black": ([0, 0, 0], [0, 0, 0], [1, 1, 1], 1),
}


def lattice():
    """All colours of the grid, blue fastest."""
    steps = np.arange(SIZE, dtype=np.float64) / (SIZE - 1)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), -1).reshape(-1, 3).astype(np.float32)


def by_opencolorio(cdl, style, space):
    slope, offset, power, saturation = cdl
    transform = ocio.CDLTransform()
    transform.setSlope(slope)
    transform.setOffset(offset)
    transform.setPower(power)
    transform.setSat(saturation)
    transform.setStyle(ocio.CDL_ASC if style == "asc" else ocio.CDL_NO_CLAMP)
    group = ocio.GroupTransform()
    if space == "acescct":
        # The constants of the Academy's S-2016-001.
        curve = dict(
            base=2.0,
            logSideSlope=[1 / 17.52] * 3,
            logSideOffset=[9.72 / 17.52] * 3,
            linSideBreak=[0.0078125] * 3,
            linearSlope=[10.5402377416545] * 3,
        )
        group.appendTransform(ocio.LogCameraTransform(**curve))
    group.appendTransform(transform)
    if space == "acescct":
        group.appendTransform(ocio.LogCameraTransform(**curve, direction=ocio.TRANSFORM_DIR_INVERSE))
    processor = ocio.Config.CreateRaw().getProcessor(group)
    # Without the shortcuts that it takes for speed.
    exact = processor.getOptimizedCPUProcessor(ocio.OPTIMIZATION_NONE)
    pixels = lattice()
    exact.applyRGB(pixels)
    return pixels


def acescct(linear):
    """ACEScct of linear values, in float64; S-2016-001."""
    linear = np.asarray(linear, np.float64)
    toe = 10.5402377416545 * linear + 0.0729055341958355
    return np.where(linear <= 0.0078125, toe, (np.log2(np.maximum(linear, 0.0078125)) + 9.72) / 17.52)


def linear(code):
    """The inverse of `acescct`."""
    toe = (code - 0.0729055341958355) / 10.5402377416545
    return np.where(code > 0.155251141552511, np.exp2(code * 17.52 - 9.72), toe)


def by_definition(cdl, style, space):
    """The grade in float64, as the ASC's document defines it."""
    slope, offset, power, saturation = (np.asarray(part, np.float64) for part in cdl)
    clamp = (lambda v: np.clip(v, 0, 1)) if style == "asc" else (lambda v: v)
    colours = lattice().astype(np.float64)
    v = clamp((acescct(colours) if space == "acescct" else colours) * slope + offset)
    v = np.where(v > 0, np.maximum(v, 0) ** power, v)
    luma = v @ [0.2126, 0.7152, 0.0722]
    v = clamp(luma[:, None] + saturation * (v - luma[:, None]))
    return linear(v) if space == "acescct" else v


def exported(folder, number):
    """The channel's LUT, once it is there."""
    path = folder / f"cam {number}.npy"
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.01)
    # A strip: row r, column b·N + g.
    return np.load(path)[..., :3].reshape(SIZE, SIZE, SIZE, 3).transpose(0, 2, 1, 3).reshape(-1, 3)


@pytest.mark.parametrize("space", ["as-is", "acescct"])
@pytest.mark.parametrize("style", ["asc", "no-clamp"])
def test_baked_cdl_values_are_those_of_opencolorio(start_server, tmp_path, style, space):
    flags = ["--cdl", "bake", "--cdl-style", style, "--cdl-space", space, "--cdl-size", str(SIZE)]
    server = start_server(*flags, "--export", tmp_path, "--export-format", "npy")
    with Client(server.port) as client:
        for number, (name, cdl) in enumerate(CDLS.items()):
            slope, offset, power, saturation = cdl
            arguments = {"slope": slope, "offset": offset, "power": power, "saturation": saturation}
            request = {"command": "setCDL", "instance": f"cam {number}", "arguments": arguments}
            assert client.request(request) == {"result": 1}
            ours, theirs = exported(tmp_path, number), by_opencolorio(cdl, style, space)
            exact = by_definition(cdl, style, space)
            rounding = np.abs(ours - exact) / np.maximum(1, np.abs(exact))
            assert rounding.max() <= 1e-7, f"{name}: {rounding.max()}"
            if space == "acescct":
                # OpenColorIO rounds to float32 in ACEScct; the exponential makes 12 times as much of that.
                ours, theirs = acescct(ours), acescct(theirs)
            difference = np.abs(ours - theirs) / np.maximum(1, np.abs(theirs))
            print(f"{name}: {rounding.max():.2g} from the definition, {difference.max():.2g} from OpenColorIO")
            assert difference.max() <= 1e-6, f"{name}: {difference.max()}"


SHAPES = {
    "array": lambda r, g, b: [r, g, b],
    "rgb": lambda r, g, b: {"r": r, "g": g, "b": b},
    "xyz": lambda r, g, b: {"x": r, "y": g, "z": b},
    "names": lambda r, g, b: {"red": r, "green": g, "blue": b},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_of_set_cdl_is_understood(start_server, shape):
    server = start_server("--http-cdl", "127.0.0.1:0")
    address = server.output.split("CDL values are taken over HTTP on ")[1].split()[0]
    of = SHAPES[shape]
    arguments = {"slope": of(1.5, 1, 0.5), "offset": of(0.25, 0, -0.25), "power": of(2, 1, 0.5)}
    with Client(server.port) as client:
        assert client.request({"command": "setCDL", "instance": "a", "arguments": arguments}) == {"result": 1}
        wrong = {**arguments, "power": of(1, 0, 1)}
        reply = client.request({"command": "setCDL", "instance": "a", "arguments": wrong})
        assert reply == {"result": 0, "error": "setCDL: the CDL's power of green is 0; it must be more than 0"}
    with urllib.request.urlopen(f"http://{address}/api/v1/colour/cdl/get/a", timeout=60) as answer:
        body = answer.read().decode()
    assert '"slope":{"x":1.5,"y":1.0,"z":0.5}' in body
    assert '"offset":{"x":0.25,"y":0.0,"z":-0.25}' in body
    assert '"power":{"x":2.0,"y":1.0,"z":0.5}' in body
    assert '"saturation":1.0' in body


def test_what_is_refused_over_http_is_said_in_the_log(start_server):
    server = start_server("--http-cdl", "127.0.0.1:0")
    address = server.output.split("CDL values are taken over HTTP on ")[1].split()[0]
    body = b'{"uid": "a", "slope": [1, 1, 1], "offset": [0, 0, 0], "power": [1, 0, 1]}'
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://{address}/api/v1/colour/cdl/set", data=body, timeout=60)
    why = "the CDL's power of green is 0; it must be more than 0"
    assert (refused.value.code, refused.value.read().decode()) == (400, f'{{"error":"{why}"}}')
    server.wait_for_output(f"CDL values over HTTP were refused: {why}")
