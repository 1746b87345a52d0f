"""What Syphon programs say to each other, read, written and carried by another implementation of Apple's Foundation.

GNUstep's archiver, property lists and distributed notifications share nothing with ours. Two processes exchange each
notification through GNUstep's notification server, which starts with the first of them and ends with the last.
"""

import plistlib
import shlex
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
FIXTURES = HERE.parent / "fixtures" / "syphon"
IDENTITY = "info.v002.Syphon.68753A44-4D6F-1226-9C60-0050E4C00067"

# Generous: it only matters where something is broken.
DEADLINE_S = 120

ARCHIVES = [
    ("client.plist", "NSString", IDENTITY),
    ("name.plist", "NSString", "Kamera Ä 🎥"),
    ("surface.plist", "NSNumber", "42"),
    ("largest-surface.plist", "NSNumber", "4294967295"),
]


def flags(kind):
    done = subprocess.run(["gnustep-config", kind], check=True, capture_output=True, encoding="utf-8")
    return shlex.split(done.stdout)


@pytest.fixture(scope="session")
def exchange(tmp_path_factory):
    """Runs the program of `exchange.m` to its end, and returns what it prints; `.path` is the program."""
    program = tmp_path_factory.mktemp("gnustep") / "exchange"
    source = HERE / "exchange.m"
    compiler = ["gcc", *flags("--objc-flags"), "-std=gnu11", "-Wno-deprecated-declarations"]
    subprocess.run([*compiler, str(source), "-o", str(program), *flags("--base-libs")], check=True)

    def run(*words):
        command = [str(program), *map(str, words)]
        done = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", timeout=DEADLINE_S)
        return done.stdout

    run.path = program
    return run


@pytest.mark.parametrize(("name", "kind", "value"), ARCHIVES)
def test_our_archives_hold_the_object_for_another_unarchiver(exchange, name, kind, value):
    lines = exchange("read", FIXTURES / name).splitlines()
    assert lines[0] == f"{kind} {value}"
    if kind == "NSNumber":
        assert lines[1] == value, "as an unsigned integer"


@pytest.mark.parametrize(("name", "kind", "value"), ARCHIVES)
def test_another_archivers_archives_are_those_that_our_reader_is_tested_with(exchange, tmp_path, name, kind, value):
    exchange("write", tmp_path / name, kind, value)
    # Not byte by byte: releases differ in the order of keys.
    kept = plistlib.loads((FIXTURES / "gnustep" / name).read_bytes())
    assert plistlib.loads((tmp_path / name).read_bytes()) == kept


@pytest.mark.parametrize("notification", ["ServerAnnounce", "ServerUpdate", "ServerRetire"])
def test_a_description_reaches_another_process_whole(exchange, tmp_path, notification):
    notification = f"info.v002.Syphon.{notification}"
    heard = tmp_path / "heard.plist"
    observer = subprocess.Popen(
        [str(exchange.path), "observe", notification, str(heard)], stdout=subprocess.PIPE, encoding="utf-8"
    )
    try:
        assert observer.stdout.readline() == "ready\n"
        exchange("post", notification, IDENTITY, FIXTURES / "description.plist")
        assert observer.stdout.readline() == f"{IDENTITY}\n"
        assert observer.wait(DEADLINE_S) == 0
    finally:
        observer.kill()
        observer.wait()
        observer.stdout.close()
    sent = plistlib.loads((FIXTURES / "description.plist").read_bytes())
    received = plistlib.loads(heard.read_bytes())
    assert received == sent
    version = received["SyphonServerDescriptionDictionaryVersionKey"]
    assert (type(version), version) == (int, 0)
    # Our reader is tested with what another Foundation makes of the description.
    kept = plistlib.loads((FIXTURES / "gnustep" / "description.plist").read_bytes())
    assert kept == received
