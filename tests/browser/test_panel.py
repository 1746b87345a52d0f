"""What a user of the panel relies on, with a real browser."""

import json
import os
import re
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from pages import CARD, grade, shown

# Seconds that a LUT may take to the page on a computer with other things to do. What is wanted is 0.2.
LIVE_S = float(os.environ.get("PANEL_LIVE_S", "10"))


def test_a_lut_that_is_sent_is_on_the_page_at_once(panel, open_page, capsys):
    page = open_page(panel)
    page.wait_for_selector("#none")
    panel.send("--identity", "17", "--channel", "cam1")
    card = page.locator(CARD.format("cam1"))
    card.wait_for()
    assert card.locator(".state").inner_text() == "NO SIGNAL"
    shown(page, 17)
    # From the receipt, by the server's clock, to the page's having it: as a user sees it, on one computer.
    page.evaluate(
        """() => {
            const at = document.querySelector('article dl');
            window.seen = new Promise((done) => new MutationObserver(() => {
                if (at.innerText.includes('33³')) done(Date.now() / 1000);
            }).observe(at, { subtree: true, childList: true, characterData: true }));
        }"""
    )
    panel.send("--identity", "33", "--channel", "cam1")
    late = page.evaluate("window.seen") - panel.channel("vglb-lut-cam1")["received"]
    with capsys.disabled():
        print(f" on the page after {late * 1000:.0f} ms (wanted: 200) ", end="")
    shown(page, 33)
    assert late < LIVE_S


def test_cdl_values_are_on_the_card(panel, open_page):
    page = open_page(panel)
    panel.send("--identity", "17", "--channel", "cam1")
    card = page.locator(CARD.format("cam1"))
    cdl = card.locator("dt:text-is('CDL') + dd")
    cdl.wait_for()
    assert cdl.inner_text() == "none"
    panel.set_cdl("cam1", [1.25, 1.0, 1.0], [0.0, -0.125, 0.0], [1.0, 1.0, 1.0 / 3.0], 0.75)
    wanted = "slope 1.25 1 1, offset 0 -0.125 0, power 1 1 0.33333, saturation 0.75"
    card.locator(f"dd:text-is('{wanted}')").wait_for()


def test_the_output_is_controlled_by_the_page_and_seen_on_the_stream(panel, open_page, tmp_path):
    cube = tmp_path / "grade.cube"
    cube.write_text(grade(9, 1))
    page = open_page(panel)
    panel.send(str(cube), "--channel", "wall A")
    card = page.locator(CARD.format("wall A"))

    def stream():
        """What another process on this computer receives."""
        out = tmp_path / "seen.cube"
        out.unlink(missing_ok=True)
        done = panel.run("receive", "vglb-lut-wall A", "--once", "--timeout", "20", "--out", str(out))
        assert done.returncode == 0, done.stderr
        return [line for line in out.read_text().splitlines() if re.match(r"[-\d.]", line)]

    before = stream()
    card.get_by_role("button", name="Bypass").click()
    page.wait_for_selector("article[data-state='bypassed']")
    assert card.locator(".state").inner_text() == "BYPASSED"
    assert card.get_by_role("button", name="Bypass").get_attribute("aria-pressed") == "true"
    assert [float(v) for v in stream()[1].split()] == [0.125, 0, 0]
    # By the keyboard alone.
    card.get_by_role("button", name="Bypass").focus()
    page.keyboard.press("Space")
    page.wait_for_selector("article[data-state='no-signal']")
    assert stream() == before
    card.get_by_role("button", name="Hold").click()
    page.wait_for_selector("article[data-state='held']")
    panel.send("--identity", "9", "--channel", "wall A")
    assert stream() == before
    assert panel.ctl("hold", "wall A", "off") == "hold off\n"
    page.wait_for_selector("article[data-state='no-signal']")
    assert stream() != before
    card.get_by_role("button", name="Identify").click()
    page.wait_for_selector("article[data-state='identifying']")


def test_files_come_and_go(panel, open_page, tmp_path):
    cube = tmp_path / "grade.cube"
    cube.write_text(grade(5, 2))
    panel.send("--identity", "3", "--channel", "cam1")
    page = open_page(panel)
    card = page.locator(CARD.format("cam1"))
    card.locator("input.load").set_input_files(cube)
    page.wait_for_selector("article[data-state='live']")
    shown(page, 5)
    with page.expect_download() as download:
        card.get_by_role("button", name="Save").click()
    assert download.value.suggested_filename == "vglb-lut-cam1.cube"
    saved = Path(download.value.path()).read_text()
    assert saved == panel.get("channels/vglb-lut-cam1/lut.cube").decode()
    broken = tmp_path / "broken.cube"
    broken.write_text("LUT_3D_SIZE 2\n0 0\n")
    with pytest.raises(AssertionError, match="three numbers|3 numbers|line 2"):
        panel.ctl("load", "cam1", str(broken))


def test_the_preview_is_what_the_reference_says(panel, open_page, tmp_path):
    cube = tmp_path / "grade.cube"
    cube.write_text(grade(17, 3))
    panel.ctl("load", "vglb-lut-cam1", str(cube))
    page = open_page(panel)
    shown(page, 17)
    for chart in ["Ramps", "Colour bars", "Skin tones", "Grey scale", "Hues"]:
        page.select_option("#chart", chart)
        # Pixels of the canvas, and what the picture has there.
        points = page.evaluate(
            """async (chart) => {
                const { chart: make } = await import('./charts.js');
                const picture = make(chart);
                await new Promise(requestAnimationFrame);
                const canvas = document.getElementById('preview');
                const gl = canvas.getContext('webgl2');
                const out = [];
                for (let i = 0; i < 24; i++) {
                    const x = Math.floor(((i * 37) % 24 + 0.5) * canvas.width / 24);
                    const y = Math.floor((i + 0.5) * canvas.height / 24);
                    const pixel = new Uint8Array(4);
                    gl.readPixels(x, y, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel);
                    const first = 4 * (y * canvas.width + x);
                    out.push([x / canvas.width, [...picture.texels.subarray(first, first + 3)], [...pixel]]);
                }
                return out;
            }""",
            chart,
        )
        graded = 0
        for across, colour, pixel in points:
            if across >= 0.5:
                graded += 1
                r, g, b = colour
                wanted = panel.channel("vglb-lut-cam1", f"probe?r={r}&g={g}&b={b}")["out"]
            else:
                wanted = colour
            for value, byte in zip(wanted, pixel):
                assert abs(min(1, max(0, value)) * 255 - byte) <= 0.51, (chart, across, colour, wanted, pixel)
        assert 4 <= graded <= 20
    # The probe has every digit.
    for name, value in zip("rgb", ["0.31", "0.62", "0.93"]):
        page.fill(f"#probe-{name}", value)
    wanted = panel.channel("vglb-lut-cam1", "probe?r=0.31&g=0.62&b=0.93")["out"]
    page.wait_for_function(
        "([r]) => Math.abs(document.querySelector('#probe-out tr:nth-child(2) td').innerText - r) < 1e-7", arg=wanted
    )
    rows = page.locator("#probe-out tbody tr")
    for row in range(2):
        values = [float(text) for text in rows.nth(row).locator("td").all_inner_texts()]
        assert values == pytest.approx(wanted, abs=2e-6)


def test_presets_outlive_a_restart(start_panel, open_page, tmp_path):
    state = {"VGLB_STATE_DIR": str(tmp_path / "state")}
    first = start_panel(state)
    cube = tmp_path / "grade.cube"
    cube.write_text(grade(5, 4))
    first.ctl("load", "vglb-lut-cam1", str(cube))
    stored = first.get("channels/vglb-lut-cam1/lut")
    page = open_page(first)
    shown(page, 5)
    page.fill("#preset-name", "day 1")
    page.click("#preset-form button")
    page.get_by_role("button", name="Recall day 1").wait_for()
    first.send("--identity", "9", "--channel", "cam1")
    page.select_option("#start", "preset:day 1")
    page.wait_for_function("() => document.getElementById('start').value === 'preset:day 1'")
    while first.channel("vglb-lut-cam1")["start"] != {"preset": "day 1"}:
        page.wait_for_timeout(20)
    page.close()
    assert first.server.stop() == 0

    second = start_panel(state)
    assert second.get("channels/vglb-lut-cam1/lut") == stored
    second.send("--identity", "9", "--channel", "cam1")
    page = open_page(second)
    shown(page, 9)
    page.get_by_role("button", name="Recall day 1").click()
    shown(page, 5)
    assert second.get("channels/vglb-lut-cam1/lut") == stored
    second.ctl("preset", "store", "cam1", "night")
    assert second.ctl("preset", "nudge", "cam1", "day 1", "night") == "day 1\n"
    assert second.ctl("preset", "nudge", "cam1", "day 1", "night") == "night\n"
    second.ctl("preset", "rename", "night", "dusk")
    second.ctl("preset", "delete", "day 1")
    page.get_by_role("button", name="Recall dusk").wait_for()
    page.get_by_role("button", name="Recall day 1").wait_for(state="detached")
    assert page.locator("#presets li").count() == 1


@pytest.mark.parametrize("name, width, height", [("phone", 390, 844), ("desktop", 1280, 900)])
def test_everybody_can_use_it(panel, open_page, tmp_path, name, width, height):
    cube = tmp_path / "grade.cube"
    cube.write_text(grade(33, 6))
    panel.ctl("load", "vglb-lut-cam1", str(cube))
    panel.send("--identity", "17")
    panel.ctl("bypass", "OpenGradeIO-LUT", "on")
    panel.ctl("preset", "store", "vglb-lut-cam1", "day 1")
    page = open_page(panel, width, height)
    page.wait_for_selector("article[data-state='live'] .look").click()
    shown(page, 33)
    page.evaluate("window.scrollTo(0, 0)")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it scrolls sideways"
    faults = [fault for fault in Axe().run(page).response["violations"] if fault["impact"] in ("serious", "critical")]
    assert faults == [], json.dumps(faults, indent=1)
    if pictures := os.environ.get("PANEL_SCREENSHOTS"):
        page.screenshot(path=Path(pictures) / f"panel-{name}.png", full_page=name == "desktop")
