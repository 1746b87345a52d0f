"""The examples and the documents' quick start, run as they are written."""

import os
import re
import runpy
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from wire import DEADLINE_S, Client, random_lut, same_bits, strip

import virtual_gpu_lut_box as vglb

REPOSITORY = Path(__file__).resolve().parents[2]
EXAMPLES = REPOSITORY / "python" / "examples"
QUICK_START = """\
from virtual_gpu_lut_box import OpenGradeIOServer, OpenGradeIOLUTStreamer
streamer = OpenGradeIOLUTStreamer(stream_name="OpenGradeIO-LUT")
def lut_callback(lut_data, channel_name=None):
    streamer.process_lut(lut_data, channel_name)
server = OpenGradeIOServer(host="127.0.0.1", port=8089, lut_callback=lut_callback)
server.start()
"""
needs_platform = pytest.mark.skipif(
    not vglb.StreamingFactory.is_platform_supported(), reason="textures can't be shared on this computer"
)
needs_signals = pytest.mark.skipif(os.name == "nt", reason="a process can't be sent Ctrl-C alone there")


def start(name, *arguments):
    command = [sys.executable, "-W", "error", EXAMPLES / name, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")


def interrupt(process):
    process.send_signal(signal.SIGINT)
    said, complaints = process.communicate(timeout=DEADLINE_S)
    return said, complaints, process.returncode


def listening(process):
    line = process.stdout.readline()
    found = re.search(r"listening on 127\.0\.0\.1:(\d+)", line)
    assert found, line
    return int(found[1])


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


@needs_platform
def test_the_quick_start_runs_as_written(connect):
    port = free_port()
    names = {}
    exec(QUICK_START.replace("8089", str(port)), names)
    try:
        lut = random_lut(33)
        client = connect(port)
        for channel, stream in (("quick start", "vglb-lut-quick start"), (None, "OpenGradeIO-LUT")):
            assert client.set_lut(lut, channel) == {"result": 1}
            with vglb.Receiver(stream) as receiver:
                assert same_bits(receiver.frame(), strip(lut))
    finally:
        names["server"].stop()
        names["streamer"].stop_streaming()


def test_the_quick_start_is_the_same_everywhere():
    for document in ("README.md", "python/README.md", "docs/python.md"):
        assert f"```python\n{QUICK_START}```" in (REPOSITORY / document).read_text(encoding="utf-8"), document
    assert f"\n{QUICK_START}" in (EXAMPLES / "quick_start.py").read_text(encoding="utf-8")


@needs_platform
@needs_signals
def test_the_quick_start_as_a_program(connect):
    source = (EXAMPLES / "quick_start.py").read_text(encoding="utf-8").replace("8089", "0")
    source = source.replace("\nserver.wait()", "\nprint(server.addresses[0][1], flush=True)\nserver.wait()")
    command = [sys.executable, "-W", "error", "-c", source]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8") as process:
        assert connect(int(process.stdout.readline())).set_lut(random_lut(3), "program") == {"result": 1}
        _, complaints, code = interrupt(process)
    assert code == -signal.SIGINT
    assert complaints.endswith("KeyboardInterrupt\n")
    assert complaints.count("Traceback") == 1
    assert "vglb-lut-program" not in [s.name for s in vglb.list_streams()]


@needs_platform
@needs_signals
def test_serving_sending_and_receiving():
    with start("serve.py", "0") as server:
        port = str(listening(server))
        with start("receive.py", "vglb-lut-fade") as receiver:
            with start("send_fade.py", "fade", port) as sender:
                said, complaints = sender.communicate(timeout=DEADLINE_S)
                assert (said, complaints, sender.returncode) == ("sent 25 LUTs\n", "", 0)
            line = ""
            while not line.startswith("revision 25:"):
                line = receiver.stdout.readline()
                assert line, receiver.stderr.read()
            assert line == "revision 25: black [0. 0. 0.], white [1. 1. 1.]\n"
            said, complaints, code = interrupt(server)
            assert said == "stopping\n"
            assert code == 0, complaints
            assert "Traceback" not in complaints
            # The stream has ended, and the receiver with it.
            assert receiver.wait(DEADLINE_S) == 0


@needs_platform
def test_receiving_in_asyncio():
    streamer = vglb.OpenGradeIOLUTStreamer()
    for channel in ("async 1", "async 2"):
        streamer.process_lut(random_lut(4), channel)
    with start("receive_async.py", "vglb-lut-async 1", "vglb-lut-async 2") as process:
        lines = {process.stdout.readline() for _ in range(2)}
        assert lines == {f"vglb-lut-async {n} revision 1: 16×4\n" for n in (1, 2)}
        streamer.stop_streaming()
        assert process.communicate(timeout=DEADLINE_S) == ("", "")
        assert process.returncode == 0


@needs_signals
def test_saving_luts(tmp_path):
    with start("save_luts.py", tmp_path, "0") as process:
        client = Client(listening(process))
        lut = random_lut(5)
        reply = client.set_lut(lut, "cam/../1")
        assert reply["result"] == 0
        assert "ValueError" in reply["error"]
        assert "is no grade of ours" in reply["error"]
        lut = np.clip(lut, -1, 2)
        assert client.set_lut(lut, "cam/../1") == {"result": 1}
        assert process.stdout.readline() == "cam____1.cube: 5³\n"
        assert same_bits(vglb.read_cube(tmp_path / "cam____1.cube"), lut)
        client.socket.close()
        said, complaints, code = interrupt(process)
        assert (said, code) == ("", 0)
        assert complaints.count("Traceback") == 1, "the refused LUT is on the log"
    assert [file.name for file in tmp_path.iterdir()] == ["cam____1.cube"]


def test_grading_a_picture(tmp_path):
    picture = np.random.default_rng(1).random((9, 16, 3), np.float32)
    np.save(tmp_path / "in.npy", picture)
    axis = np.linspace(0, 1, 2, dtype=np.float32)
    inverse = 1 - np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1)
    vglb.write_cube(tmp_path / "inverse.cube", inverse)
    with start("grade_picture.py", tmp_path / "inverse.cube", tmp_path / "in.npy", tmp_path / "out.npy") as process:
        assert process.communicate(timeout=DEADLINE_S) == ("16×9 through 2³\n", "")
        assert process.returncode == 0
    assert np.abs(np.load(tmp_path / "out.npy") - (1 - picture)).max() < 1e-6


@needs_platform
def test_the_script_top_shows_each_texture_once_and_upright():
    class ScriptTop:
        def __init__(self):
            self.shown = []

        def copyNumpyArray(self, array):
            assert array.flags.c_contiguous
            self.shown.append(array)

    callbacks = runpy.run_path(str(EXAMPLES / "touchdesigner_script_top.py"))
    top = ScriptTop()
    streamer = vglb.OpenGradeIOLUTStreamer()
    callbacks["onCook"](top)
    assert top.shown == []
    lut = random_lut(6)
    streamer.process_lut(lut, "cam1")
    callbacks["onCook"](top)
    callbacks["onCook"](top)
    assert len(top.shown) == 1
    assert same_bits(top.shown[0][::-1], strip(lut))
    streamer.stop_streaming()
    callbacks["onCook"](top)
    callbacks["receiver"].close()
    assert len(top.shown) == 1


def test_every_example_is_run_here():
    here = Path(__file__).read_text(encoding="utf-8")
    for example in EXAMPLES.glob("*.py"):
        assert f'"{example.name}"' in here, f"{example.name} is in no test"
