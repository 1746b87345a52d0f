"""Who has no token sees nothing; who has it uses the page as anybody does."""

import json
import re
import socket
from urllib.error import HTTPError

import pytest
from pages import CARD

REFUSED = ["status of 401"]
# Browsers heed that header on HTTPS and on loopback alone, and say so.
BEYOND = ["Cross-Origin-Opener-Policy header has been ignored"]


def own_address():
    """An address by which other computers would reach this one. Nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))
            address = probe.getsockname()[0]
        except OSError as why:
            pytest.fail(f"this computer is in no network, which the test needs: {why}")
    assert not address.startswith("127."), "this computer has no address but its own loopback"
    return address


def uses_it(page, panel):
    """Whoever has the token sees the channels, and controls them."""
    card = page.locator(CARD.format("cam1"))
    card.get_by_role("button", name="Bypass").click()
    page.wait_for_selector("article[data-state='bypassed']")
    assert json.loads(panel.get("channels/vglb-lut-cam1"))["bypass"] is True
    assert page.locator("#token-form").is_hidden()


def test_a_token_that_is_set_is_asked_for_and_kept(start_panel, open_page):
    panel = start_panel(arguments=["--dashboard-token", "open-sesame"])
    panel.send("--identity", "5", "--channel", "cam1")
    page = open_page(panel, expected=REFUSED)
    page.wait_for_selector("#token-form")
    assert page.locator("#server").inner_text() == "the panel's token is needed, as Authorization: Bearer TOKEN"
    assert page.locator("article").count() == 0 and page.locator("#log li").count() == 0
    assert page.locator("#token").get_attribute("type") == "password"
    # By the keyboard alone; a wrong one first.
    page.get_by_label("The panel's token").focus()
    page.keyboard.type("open-sesam")
    page.keyboard.press("Enter")
    page.wait_for_selector("#server:text-is(\"this is not the panel's token\")")
    page.wait_for_selector("#token-form")
    assert page.locator("article").count() == 0
    page.get_by_label("The panel's token").fill(" open-sesame ")
    page.keyboard.press("Enter")
    panel.token = "open-sesame"
    uses_it(page, panel)
    page.reload()
    page.wait_for_selector("article[data-state='bypassed']")
    assert page.locator("#token-form").is_hidden()
    assert "sesame" not in page.url
    # Another browser knows nothing of it.
    other = open_page(panel, expected=REFUSED)
    other.wait_for_selector("#token-form")
    assert other.locator("article").count() == 0


def test_beyond_loopback_a_token_is_made_and_the_link_brings_it_along(start_panel, open_page):
    address = own_address()
    panel = start_panel(host=address, arguments=["--allow", address])
    panel.server.wait_for_output("the panel with its token: ")
    link = re.search(r"the panel with its token: (\S+)", panel.server.output)[1]
    assert link.startswith(f"http://{address}:")
    panel.send("--identity", "5", "--channel", "cam1")
    with pytest.raises(HTTPError) as refused:
        panel.get("channels")
    with refused.value as answer:
        assert (answer.code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")

    panel.token = link.split("#token=")[1]
    page = open_page(panel, expected=REFUSED + BEYOND)
    page.wait_for_selector("#token-form")
    assert page.locator("article").count() == 0
    page.get_by_label("The panel's token").fill(panel.token)
    page.get_by_role("button", name="Use it").click()
    uses_it(page, panel)

    by_link = open_page(panel, url=link, expected=BEYOND)
    by_link.wait_for_selector("article[data-state='bypassed']")
    assert by_link.locator("#token-form").is_hidden()
    assert by_link.url == panel.url + "/", "the token stays neither in the address nor in the history"
    # It is on the log's stderr, and not on the page.
    by_link.wait_for_selector("#log li")
    assert panel.token not in by_link.content()
