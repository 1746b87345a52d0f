"""VirtualGPULUTBoxServer: the whole LUT box in this process."""

import logging
import multiprocessing
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from wire import DEADLINE_S, random_lut, same_bits, strip

import virtual_gpu_lut_box as vglb


@pytest.fixture
def box(stream_name):
    box = vglb.VirtualGPULUTBoxServer(port=0, stream_name=stream_name, backend="memory")
    box.start()
    yield box
    box.stop()


def newest(stream):
    return vglb.Receiver(stream, backend="memory").frame()


def test_luts_become_textures_each_channel_its_own(box, connect, stream_name):
    client = connect(box)
    luts = {None: random_lut(5, 1), "a": random_lut(33, 2), "b": random_lut(5, 3)}
    for channel, lut in luts.items():
        assert client.set_lut(lut, channel) == {"result": 1}
    for channel, lut in luts.items():
        stream = stream_name if channel is None else f"vglb-lut-{channel}"
        assert same_bits(newest(stream), strip(lut))


def test_cdl_values_have_an_effect(box, connect):
    arguments = {"slope": [0.5, 1.0, 1.0], "offset": [0.0, 0.0, 0.0], "power": [1.0, 1.0, 1.0]}
    assert connect(box).request({"command": "setCDL", "instance": "c", "arguments": arguments}) == {"result": 1}
    assert newest("vglb-lut-c")[-1, -1].tolist() == [0.5, 1, 1, 1]


def test_cdl_values_are_listed_with_the_stream(box, connect):
    def listed():
        return {s.name: s.cdl for s in vglb.list_streams("memory")}["vglb-lut-c"]

    client = connect(box)
    assert client.set_lut(random_lut(2), "c") == {"result": 1}
    assert listed() is None
    arguments = {"slope": [0.5, 1.0, 1.25], "offset": [-0.1, 0.0, 0.2], "power": [1.0, 0.9, 2.0], "saturation": 0.8}
    assert client.request({"command": "setCDL", "instance": "c", "arguments": arguments}) == {"result": 1}
    assert listed() == vglb.Cdl((0.5, 1.0, 1.25), (-0.1, 0.0, 0.2), (1.0, 0.9, 2.0), 0.8)


def test_with_a_callback_nothing_is_published(connect, stream_name):
    got = []
    box = vglb.VirtualGPULUTBoxServer(
        port=0, stream_name=stream_name, lut_callback=lambda lut, channel: got.append((lut, channel)), backend="memory"
    )
    box.start()
    assert box.is_running
    lut = random_lut(3)
    assert connect(box).set_lut(lut, "x") == {"result": 1}
    assert box.wait(0) is False
    box.stop()
    assert not box.is_running
    assert box.addresses == []
    assert box.wait() is True
    assert same_bits(got[0][0], lut)
    assert got[0][1] == "x"
    assert "vglb-lut-x" not in [s.name for s in vglb.list_streams("memory")]


def test_starting_and_stopping(connect, stream_name, caplog):
    box = vglb.VirtualGPULUTBoxServer(port=0, stream_name=stream_name, backend="memory")
    assert not box.is_running
    assert box.addresses == []
    assert box.wait() is True
    box.stop()
    for _ in range(2):
        with box as entered:
            assert entered is box
            assert box.is_running
            assert box.wait(0) is False
            client = connect(box)
            assert client.set_lut(random_lut(2)) == {"result": 1}
            before = box.addresses
            with caplog.at_level(logging.WARNING, "virtual_gpu_lut_box"):
                box.start()
            assert "is running already" in caplog.text
            assert box.addresses == before
        assert not box.is_running
        assert client.is_closed()
        assert stream_name not in [s.name for s in vglb.list_streams("memory")]
        assert box.wait() is True


def test_defaults_and_attributes():
    box = vglb.VirtualGPULUTBoxServer()
    assert (box.host, box.port, box.stream_name) == ("127.0.0.1", 8089, "OpenGradeIO-LUT")
    assert (box.verbose, box.info_logging, box.lut_callback, box.is_running) == (False, False, None, False)
    assert vglb.VirtualGPULUTBoxServer.DEFAULT_HOST == "127.0.0.1"
    assert vglb.VirtualGPULUTBoxServer.DEFAULT_PORT == 8089
    box = vglb.VirtualGPULUTBoxServer("::1", 9, "S", True, True, print)
    assert (box.host, box.port, box.stream_name, box.verbose, box.info_logging) == ("::1", 9, "S", True, True)
    assert box.lut_callback is print
    assert repr(box) == "VirtualGPULUTBoxServer(host='::1', port=9, stream_name='S')"


def test_a_port_in_use_is_an_error(box):
    second = vglb.VirtualGPULUTBoxServer(port=box.addresses[0][1], backend="memory")
    for kind in (OSError, RuntimeError):
        with pytest.raises(kind, match="is in use"):
            second.start()
    assert not second.is_running


def test_a_back_end_that_is_not_here_is_an_error():
    box = vglb.VirtualGPULUTBoxServer(port=0, backend="spuot")
    with pytest.raises(vglb.PlatformNotSupportedError, match="spuot"):
        box.start()
    assert not box.is_running


def test_there_is_no_child_process(box, connect):
    connect(box).set_lut(random_lut(2))
    assert multiprocessing.active_children() == []
    tasks = Path("/proc/self/task")
    if tasks.is_dir():
        assert [child for task in tasks.iterdir() for child in (task / "children").read_text().split()] == []


def test_platform_info():
    info = vglb.VirtualGPULUTBoxServer.get_platform_info()
    assert info["system"] == info["current_platform"] == platform.system()
    assert info["platform_supported"] is vglb.StreamingFactory.is_platform_supported()
    assert info["available_backends"] == ([platform.system()] if info["platform_supported"] else [])
    assert ("supported_formats" in info) is info["platform_supported"]
    assert vglb.VirtualGPULUTBoxServer().get_platform_info() == info


@pytest.mark.parametrize(
    ("arguments", "level"),
    [({"verbose": True}, logging.DEBUG), ({"info_logging": True}, logging.INFO), ({}, logging.NOTSET)],
)
def test_how_much_is_logged(arguments, level):
    package = logging.getLogger("virtual_gpu_lut_box")
    package.setLevel(logging.NOTSET)
    with vglb.VirtualGPULUTBoxServer(port=0, backend="memory", **arguments):
        assert package.level == level
        assert logging.getLogger("virtual_gpu_lut_box.events").isEnabledFor(logging.INFO)


def test_a_script_that_ends_leaves_nothing_behind():
    """No stop(), a client connected, a stream running: the interpreter ends, in order, and says nothing."""
    program = """
import socket, virtual_gpu_lut_box as vglb
box = vglb.VirtualGPULUTBoxServer(port=0, backend="memory")
box.start()
held = socket.create_connection(box.addresses[0])
server = vglb.OpenGradeIOServer(port=0, lut_callback=print)
server.start()
print(box.addresses[0][1])
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=DEADLINE_S, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if "virtual_gpu_lut_box.events - INFO" not in line]
    assert lines == []
