"""A server with its panel, and a real browser that looks at it."""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import sync_playwright
from server_process import ServerProcess

sys.dont_write_bytecode = True

CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]


def document(*elements):
    return struct.pack("<i", 5 + sum(map(len, elements))) + b"".join(elements) + b"\0"


def bson(kind, name, value):
    """An element: a double, a string, or an array of doubles."""
    if kind == b"\x01":
        content = struct.pack("<d", value)
    elif kind == b"\x02":
        content = struct.pack("<i", len(value) + 1) + value.encode() + b"\0"
    else:
        content = document(*(bson(b"\x01", str(i), v) for i, v in enumerate(value)))
    return kind + name.encode() + b"\0" + content


class Panel:
    """A server that runs, and its API."""

    def __init__(self, vglb, environment=None, arguments=(), host="127.0.0.1"):
        self.vglb = vglb
        self.token = None
        self.server = ServerProcess([vglb, "--port", "0", "--dashboard", f"{host}:0", *arguments], environment)
        self.url = None

    def wait_until_ready(self):
        self.server.wait_until_listening()
        self.server.wait_for_output("the panel is at ")
        self.url = re.search(r"the panel is at (http://\S+)/", self.server.output)[1]

    def send(self, *arguments):
        """Sends LUTs as a grading program would."""
        done = self.run("send", *arguments, "--port", str(self.server.port))
        assert done.returncode == 0, done.stderr

    def run(self, *arguments):
        environment = {**os.environ, "VGLB_RUNTIME_DIR": str(self.server.runtime_dir), "VGLB_NO_CONFIG": "true"}
        return subprocess.run([self.vglb, *arguments], env=environment, capture_output=True, encoding="utf-8", timeout=60)

    def ctl(self, *arguments):
        done = self.run("ctl", "--address", self.url, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def get(self, path):
        return self.ask("GET", path)

    def ask(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        with urlopen(Request(f"{self.url}/api/v1/{path}", body, headers, method=method), timeout=60) as answer:
            return answer.read()

    def set_cdl(self, channel, slope, offset, power, saturation):
        """Sends CDL values as a grading program would: one document of BSON, which is answered with one."""
        arguments = [bson(b"\x04", name, values) for name, values in [("slope", slope), ("offset", offset), ("power", power)]]
        arguments.append(bson(b"\x01", "saturation", saturation))
        message = document(bson(b"\x02", "command", "setCDL"), bson(b"\x02", "instance", channel), b"\x03arguments\0" + document(*arguments))
        with socket.create_connection(("127.0.0.1", self.server.port), timeout=60) as connection:
            connection.sendall(message)
            assert b"\x10result\0\x01" in connection.recv(4096)

    def channel(self, stream, part=""):
        return json.loads(self.get(f"channels/{quote(stream, safe='')}{part and '/'}{part}"))


@pytest.fixture(scope="session")
def vglb():
    """The program `vglb`: the one that VGLB_BIN names, else the one that `cargo build` leaves."""
    default = Path(__file__).resolve().parents[2] / "target" / "debug" / "vglb"
    program = Path(os.environ.get("VGLB_BIN", default))
    assert program.is_file(), f"{program} is not there; `cargo build` makes it, or VGLB_BIN names another"
    return program


@pytest.fixture
def start_panel(vglb):
    # Whatever fails, none is left running.
    with ExitStack() as ends:

        def end(server):
            code = server.stop()
            assert code in (0, -signal.SIGKILL), server.output

        def start(environment=None, **how):
            panel = Panel(vglb, {"VGLB_NO_CONFIG": "true", **(environment or {})}, **how)
            ends.callback(end, panel.server)
            panel.wait_until_ready()
            return panel

        yield start


@pytest.fixture
def panel(start_panel):
    return start_panel()


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        program = os.environ.get("PANEL_CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser):
    """Opens pages; none may have an error on its console, but for those that a test expects."""
    faults = []
    with ExitStack() as ends:

        def open_page(panel, width=1280, height=900, url=None, expected=(), **how):
            page = browser.new_page(viewport={"width": width, "height": height}, accept_downloads=True, **how)
            ends.callback(page.close)
            page.set_default_timeout(30_000)

            def note(message):
                if message.type == "error" and not any(text in message.text for text in expected):
                    faults.append(message.text)

            page.on("console", note)
            page.on("pageerror", lambda error: faults.append(str(error)))
            page.goto(url or panel.url + "/")
            return page

        yield open_page
    assert faults == []
