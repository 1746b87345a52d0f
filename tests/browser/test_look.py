"""A look at the LUT: the probe, a picture of one's own, and how still the page keeps."""

import struct
import zlib

import pytest
from pages import grade, shown

# What a user sees at a place of the preview, from 0 to 1 across and down.
SEEN = """([across, down]) => {
    const from = document.getElementById('preview');
    const copy = new OffscreenCanvas(from.width, from.height).getContext('2d');
    copy.drawImage(from, 0, 0);
    const at = (part, size) => Math.min(size - 1, Math.floor(part * size));
    return [...copy.getImageData(at(across, from.width), at(down, from.height), 1, 1).data].slice(0, 3);
}"""


@pytest.fixture
def graded(panel, open_page, tmp_path):
    """A page that looks at a channel with a grade."""
    cube = tmp_path / "grade.cube"
    cube.write_text(grade(17, 7))
    panel.ctl("load", "vglb-lut-cam1", str(cube))
    page = open_page(panel)
    shown(page, 17)
    return page


def probed(page):
    return [float(page.input_value(f"#probe-{name}")) for name in "rgb"]


def reference(panel, rgb):
    r, g, b = rgb
    return panel.channel("vglb-lut-cam1", f"probe?r={r}&g={g}&b={b}")["out"]


def tells(page, wanted):
    """Both rows of the probe, the shader's and the reference's, come to say `wanted`."""
    page.wait_for_function(
        """(wanted) => [1, 2].every((row) => wanted.every((value, c) => {
            const said = document.querySelector(`#probe-out tbody tr:nth-child(${row}) td:nth-of-type(${c + 1})`).innerText;
            return said !== '' && Math.abs(Number(said) - value) < 2e-6;
        }))""",
        arg=wanted,
    )


def test_a_click_on_the_picture_probes_the_colour_that_is_there(panel, graded):
    page = graded
    page.select_option("#chart", "Skin tones")
    # Left of the wipe the picture is as it is.
    page.fill("#wipe", "1000")
    preview = page.locator("#preview")
    seen = []
    for across, down in [(0.25, 0.2), (0.25, 0.8), (0.9, 0.5)]:
        before = probed(page)
        box = preview.bounding_box()
        place = {"x": round(across * box["width"]), "y": round(down * box["height"])}
        preview.click(position=place)
        page.wait_for_function("(r) => document.getElementById('probe-r').valueAsNumber !== r", arg=before[0])
        colour = probed(page)
        there = page.evaluate(SEEN, [place["x"] / box["width"], place["y"] / box["height"]])
        # The chart is a gradient: a pixel further it is the same to a step of 255.
        assert [value * 255 for value in colour] == pytest.approx(there, abs=1.6)
        tells(page, reference(panel, colour))
        seen.append(colour)
    assert seen[0] != seen[1] != seen[2]


def test_the_probe_is_reached_and_filled_in_by_the_keyboard_alone(panel, graded):
    page = graded
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "probe-r":
            break
    for name, text in zip("rgb", ["0.31", "1.25", "-0.1"]):
        assert page.evaluate("document.activeElement.id") == f"probe-{name}"
        page.keyboard.press("Control+A")
        page.keyboard.type(text)
        page.keyboard.press("Tab")
    assert probed(page) == [0.31, 1.25, -0.1]
    tells(page, reference(panel, [0.31, 1.25, -0.1]))


def png(rows):
    """A PNG file of 8-bit R, G, B; the top row first."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    pixels = b"".join(b"\0" + bytes(value for pixel in row for value in pixel) for row in rows)
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")


def test_a_picture_that_is_dropped_is_shown_graded_and_does_not_leave_the_browser(panel, graded):
    page = graded
    rows = [[(250, 10, 40), (10, 200, 90), (250, 10, 40), (10, 200, 90)], [(60, 70, 240), (128, 128, 128)] * 2]
    requests = []
    page.on("request", lambda request: requests.append(f"{request.method} {request.url}"))
    files = page.evaluate_handle(
        """(bytes) => {
            const files = new DataTransfer();
            files.items.add(new File([new Uint8Array(bytes)], 'own.png', { type: 'image/png' }));
            return files;
        }""",
        list(png(rows)),
    )
    page.dispatch_event("#preview", "dragover", {"dataTransfer": files})
    page.dispatch_event("#preview", "drop", {"dataTransfer": files})
    page.wait_for_function("() => document.getElementById('preview').width === 4")
    page.evaluate("new Promise(requestAnimationFrame)")
    # The wipe is in the middle: two columns as they are, two with the LUT.
    for y, row in enumerate(rows):
        for x, pixel in enumerate(row):
            seen = page.evaluate(SEEN, [(x + 0.5) / 4, (y + 0.5) / 2])
            if x < 2:
                assert seen == list(pixel)
            else:
                out = reference(panel, [value / 255 for value in pixel])
                assert seen != list(pixel)
                for value, byte in zip(out, seen):
                    assert abs(min(1, max(0, value)) * 255 - byte) <= 0.51, (x, y, pixel, out, seen)
    assert requests == []
    # Its colours can be probed, which asks the server for one colour and nothing more.
    box = page.locator("#preview").bounding_box()
    page.locator("#preview").click(position={"x": box["width"] / 8, "y": box["height"] / 4})
    tells(page, reference(panel, probed(page)))
    assert probed(page) == pytest.approx([value / 255 for value in rows[0][0]])
    assert [request.split("?")[0] for request in requests] == [
        f"GET {panel.url}/api/v1/channels/vglb-lut-cam1/probe"
    ]


MOVES = """() => {
    const running = document.getAnimations().map((animation) => animation.animationName ?? 'a transition');
    const styles = [...document.querySelectorAll('*')].map((element) => getComputedStyle(element));
    const slow = styles.filter((style) => style.transitionDuration !== '0s' || style.scrollBehavior === 'smooth');
    return [running, slow.length];
}"""


@pytest.mark.parametrize("motion, running", [("reduce", []), ("no-preference", ["pulse"])])
def test_nothing_moves_for_whoever_wants_no_motion(panel, open_page, motion, running):
    panel.send("--identity", "5", "--channel", "cam1")
    page = open_page(panel, reduced_motion=motion)
    shown(page, 5)
    panel.ask("POST", "channels/vglb-lut-cam1/identify", b'{"seconds": 60}')
    page.wait_for_selector("article[data-state='identifying']")
    assert page.evaluate(MOVES) == [running, 0]
    page.locator("article .look").click()
    assert page.evaluate(MOVES) == [running, 0]
