"""ProtocolHandler: messages as dictionaries."""

import array
import logging

import bson
import numpy as np
import pytest
from wire import random_lut, same_bits

import virtual_gpu_lut_box as vglb


@pytest.fixture
def handler():
    return vglb.ProtocolHandler()


def lut_data(lut, alpha=1.0):
    rgba = np.full((*lut.shape[:3], 4), alpha, np.float32)
    rgba[..., :3] = lut
    return rgba.tobytes()


def test_the_commands_are_the_two_known_ones(handler):
    assert handler.supported_commands == {"setLUT", "setCDL"}


def test_a_message_is_taken_apart(handler):
    message = {"command": "setLUT", "service": "S", "instance": "cam", "type": "3D", "n": 1, "arguments": {"lutData": b""}}
    assert handler.parse_message(message) == {
        "command": "setLUT",
        "arguments": {"lutData": b""},
        "metadata": {"service": "S", "instance": "cam", "type": "3D", "n": 1},
    }
    assert handler.parse_message({"command": "setCDL"}) == {"command": "setCDL", "arguments": {}, "metadata": {}}
    assert handler.parse_message({"command": "setCDL", "arguments": None})["arguments"] == {}


@pytest.mark.parametrize("message", [None, "setLUT", [], {}, {"command": ""}, {"command": "other"}, {"command": ["setLUT"]}])
def test_what_is_no_message_is_none_with_a_warning(handler, caplog, message):
    with caplog.at_level(logging.WARNING):
        assert handler.parse_message(message) is None
    assert [r.levelno for r in caplog.records] == [logging.WARNING]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview, bson.Binary, lambda data: array.array("B", data)])
def test_the_lut_and_the_other_arguments(handler, kind):
    lut = random_lut(5)
    got, metadata = handler.process_set_lut_command({"lutData": kind(lut_data(lut)), "lutSize": 5, "more": "x"})
    assert same_bits(got, lut)
    assert metadata == {"lutSize": 5, "more": "x"}


def test_an_alpha_that_says_something_is_kept(handler):
    lut = random_lut(3)
    got, metadata = handler.process_set_lut_command({"lutData": lut_data(lut, 0.5), "lutSize": 3.0})
    assert got.shape == (3, 3, 3, 4)
    assert same_bits(got[..., :3], lut)
    assert (got[..., 3] == 0.5).all()
    assert metadata == {"lutSize": 3.0}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({}, '"lutData" must be bytes, not NoneType'),
        ({"lutData": "text"}, "not str"),
        ({"lutData": b""}, "0 bytes"),
        ({"lutData": bytes(100)}, "100 bytes are not a whole number of entries"),
        ({"lutData": bytes(16 * 9)}, "9 entries, which is no cube number"),
        ({"lutData": bytes(16)}, "grid size 1"),
        ({"lutData": bytes(128), "lutSize": 3}, '"lutSize" is 3, but "lutData" holds 2³ entries'),
        ({"lutData": lut_data(np.full((2, 2, 2, 3), np.nan, np.float32))}, "8 of the LUT's entries are NaN"),
    ],
)
def test_arguments_without_a_lut_are_none_with_an_error(handler, caplog, arguments, reason):
    with caplog.at_level(logging.ERROR):
        assert handler.process_set_lut_command(arguments) is None
    [record] = caplog.records
    assert record.levelno == logging.ERROR
    assert reason in record.message


def test_responses(handler):
    assert handler.create_response() == {"result": 1}
    assert handler.create_response(True, "ignored") == {"result": 1}
    assert handler.create_response(False, "why") == {"result": 0, "error": "why"}
    assert handler.create_response(success=False) == {"result": 0, "error": "Unknown error"}
