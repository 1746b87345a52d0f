"""What Syphon programs are sent, read by Python's own property lists.

The files in tests/fixtures/syphon are the bytes that the program sends: a test beside the code compares them.
"""

import plistlib
from pathlib import Path

import pytest

FIXTURES = Path(__file__).resolve().parents[1] / "fixtures" / "syphon"
IDENTITY = "info.v002.Syphon.68753A44-4D6F-1226-9C60-0050E4C00067"


def read(name):
    return plistlib.loads((FIXTURES / name).read_bytes(), fmt=plistlib.FMT_BINARY)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("client.plist", IDENTITY),
        ("name.plist", "Kamera Ä 🎥"),
        ("surface.plist", 42),
        ("largest-surface.plist", 2**32 - 1),
    ],
)
def test_an_archive_holds_one_object_under_root(name, value):
    archive = read(name)
    assert archive == {
        "$version": 100000,
        "$archiver": "NSKeyedArchiver",
        "$top": {"root": plistlib.UID(1)},
        "$objects": ["$null", value],
    }
    assert type(archive["$objects"][1]) is type(value)


def test_a_description_has_the_keys_of_the_framework():
    description = read("description.plist")
    assert description == {
        "SyphonServerDescriptionDictionaryVersionKey": 0,
        "SyphonServerDescriptionUUIDKey": IDENTITY,
        "SyphonServerDescriptionNameKey": "vglb-lut-Kamera Ä",
        "SyphonServerDescriptionAppNameKey": "virtual-gpu-lut-box",
        "SyphonServerDescriptionSurfacesKey": [{"SyphonSurfaceType": "SyphonSurfaceTypeIOSurface"}],
    }
    assert description["SyphonServerDescriptionDictionaryVersionKey"] is not False
