"""The console scripts: the same program as the one that comes without Python."""

import os
import re
import shutil
import signal
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

import pytest
from wire import DEADLINE_S, random_lut

import virtual_gpu_lut_box as vglb
from virtual_gpu_lut_box import cli


def script(name):
    found = shutil.which(name, path=sysconfig.get_path("scripts"))
    assert found, f"the script {name} is not installed"
    return found


def run(*command, **options):
    return subprocess.run(command, capture_output=True, encoding="utf-8", timeout=DEADLINE_S, check=False, **options)


@pytest.mark.parametrize(
    "command", [("virtual-gpu-lut-box",), ("vglb",), ("python -m",)], ids=lambda command: command[0]
)
def test_every_way_to_call_it(command):
    program = [sys.executable, "-m", "virtual_gpu_lut_box"] if command == ("python -m",) else [script(*command)]
    done = run(*program, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() == f"virtual-gpu-lut-box {vglb.__version__}"
    done = run(*program, "--info")
    assert (done.returncode, done.stderr) == (0, "")
    assert "R32G32B32A32_FLOAT" in done.stdout
    done = run(*program, "--no-such-flag")
    assert done.returncode == 2
    assert "--no-such-flag" in done.stderr
    done = run(*program, "send", "--identity", "3", "--port", "1")
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")


def test_the_versions_agree():
    assert vglb.__version__ == version("virtual-gpu-lut-box")


def test_the_command_line_sends_to_a_python_server(serve):
    got = []
    server = serve(lambda lut, channel: got.append((lut.shape, channel)))
    port = str(server.addresses[0][1])
    done = run(script("vglb"), "send", "--identity", "5", "--channel", "é", "--port", port)
    assert done.returncode == 0, done.stderr
    assert got == [((5, 5, 5, 3), "é")]


def test_a_command_line_can_be_run_in_this_process(capfd):
    handler = signal.getsignal(signal.SIGINT)
    assert cli.main(["--version"]) == 0
    assert cli.main(["no-such-command"]) == 2
    assert signal.getsignal(signal.SIGINT) is handler
    said = capfd.readouterr()
    assert vglb.__version__ in said.out
    assert "no-such-command" in said.err


@pytest.mark.skipif(os.name == "nt", reason="a process can't be sent Ctrl-C alone there")
@pytest.mark.skipif(not vglb.StreamingFactory.is_platform_supported(), reason="textures can't be shared here")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_and_sigterm_end_the_server_well(number):
    with subprocess.Popen(
        [script("vglb"), "--port", "0", "--dashboard", "off"], stderr=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
    ) as process:
        said = ""
        while not (listening := re.search(r"listening on 127\.0\.0\.1:(\d+)", said)):
            line = process.stderr.readline()
            assert line, f"it ended: {said}"
            said += line
        vglb.send_lut(random_lut(3), "script", port=int(listening[1]))
        assert "vglb-lut-script" in [s.name for s in vglb.list_streams()]
        process.send_signal(number)
        rest = process.stderr.read()
        assert process.wait(DEADLINE_S) == 0
    assert "stopping" in rest
    assert "Traceback" not in rest
    assert "vglb-lut-script" not in [s.name for s in vglb.list_streams()]


@pytest.mark.skipif(os.name == "nt", reason="a process can't be sent Ctrl-C alone there")
@pytest.mark.skipif(not vglb.StreamingFactory.is_platform_supported(), reason="textures can't be shared here")
def test_ctrl_c_ends_a_command_that_waits():
    with subprocess.Popen(
        [script("vglb"), "receive", "never there"], stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert "never there" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(DEADLINE_S) == -signal.SIGINT


def test_the_wheel_is_typed_and_holds_its_licence():
    folder = Path(vglb.__file__).parent
    for name in ("py.typed", "_native.pyi"):
        assert (folder / name).is_file()
