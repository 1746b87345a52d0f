"""What `vglb service` writes for each platform, judged by what reads it there, and the unit's limits put on a server."""

import os
import plistlib
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
from server_process import ServerProcess

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="systemd is on Linux only")
OPTIONS = ["--stream-name", 'a "quoted" & <odd> 50% $HOME name']


def dry_run(vglb, platform, *words, environment=None):
    done = subprocess.run(
        [vglb, "service", "install", "--dry-run", "--platform", platform, *words],
        env={**os.environ, **(environment or {})},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def files(text):
    """The files that would be written, by their names."""
    parts = re.split(r"^write (.*):$", text, flags=re.M)[1:]
    end = re.compile(r"^(run|note): ", re.M)
    return {Path(name.replace("\\", "/")).name: end.split(body)[0].strip() for name, body in zip(parts[::2], parts[1::2])}


def test_the_launch_agent_is_a_property_list_of_the_logon_session(vglb):
    agent = plistlib.loads(files(dry_run(vglb, "macos", "--", *OPTIONS))["virtual-gpu-lut-box.plist"].encode())
    assert Path(agent["ProgramArguments"][0]).is_absolute()
    assert agent["ProgramArguments"][1:] == ["serve", *OPTIONS]
    assert agent["LimitLoadToSessionType"] == "Aqua"
    assert agent["RunAtLoad"] is True and agent["KeepAlive"] == {"SuccessfulExit": False}


def test_the_task_is_xml_that_starts_the_server_when_the_user_logs_on(vglb):
    environment = {"LOCALAPPDATA": "C:\\data", "USERDOMAIN": "STAGE", "USERNAME": "a & b"}
    text = files(dry_run(vglb, "windows", "--", *OPTIONS, environment=environment))["task.xml"]
    # The declaration is right for the file, which is in UTF-16, and not for what is printed.
    task = ElementTree.fromstring(text.split("?>", 1)[1])
    namespace = {"t": "http://schemas.microsoft.com/windows/2004/02/mit/task"}
    text_of = lambda path: task.findtext(path, namespaces=namespace)
    assert text_of("t:Triggers/t:LogonTrigger/t:UserId") == "STAGE\\a & b"
    assert text_of("t:Principals/t:Principal/t:LogonType") == "InteractiveToken"
    assert text_of("t:Settings/t:ExecutionTimeLimit") == "PT0S", "for ever"
    words = text_of("t:Actions/t:Exec/t:Arguments")
    assert words == 'serve --stream-name "a \\"quoted\\" & <odd> 50% $HOME name"'


def test_what_serve_would_refuse_is_refused_before_anything_is_written(vglb):
    for words, why in [(["--", "--prot", "1"], "--port"), (["--user", "x"], "--system")]:
        done = subprocess.run([vglb, "service", "install", "--dry-run", *words], capture_output=True, encoding="utf-8")
        assert done.returncode != 0 and why in done.stderr, done.stderr
    other = "windows" if sys.platform != "win32" else "linux"
    done = subprocess.run([vglb, "service", "install", "--platform", other], capture_output=True, encoding="utf-8")
    assert done.returncode == 1 and "--dry-run" in done.stderr, done.stderr


@pytest.fixture(params=[[], ["--system"], ["--system", "--", "--gpu", "auto"]], ids=["user", "system", "system-gpu"])
def unit(request, vglb, tmp_path):
    """The unit, in a file."""
    path = tmp_path / "virtual-gpu-lut-box.service"
    path.write_text(files(dry_run(vglb, "linux", *request.param))[path.name] + "\n")
    return path


def systemd_analyze(*words):
    assert shutil.which("systemd-analyze"), "systemd-analyze is missing: apt-get install systemd"
    return subprocess.run(["systemd-analyze", *map(str, words)], capture_output=True, text=True, timeout=120)


@LINUX
def test_systemd_finds_no_fault_in_the_unit(unit):
    verified = systemd_analyze("verify", "--man=no", unit)
    # Others' units, which it loads too, are not judged here.
    ours = [line for line in verified.stderr.splitlines() if unit.name in line]
    assert not ours and "ailed to" not in verified.stdout, verified.stderr


@LINUX
def test_the_systems_unit_is_exposed_to_little(unit, request):
    # Out of 100, as systemd counts; a unit without any setting has 96.
    bound = {"user": 70, "system": 20, "system-gpu": 25}[request.node.callspec.id]
    judged = systemd_analyze("security", "--offline=true", f"--threshold={bound}", "--no-pager", unit)
    assert judged.returncode == 0, judged.stdout[-2000:]


def allowed_calls(unit):
    """The system calls that the unit's SystemCallFilter= lines leave, as systemd.exec(5) has them taken together."""
    calls = set()
    for line in unit.read_text().splitlines():
        if not line.startswith("SystemCallFilter="):
            continue
        value = line.split("=", 1)[1]
        named = set().union(*(expanded(word) for word in value.lstrip("~").split()))
        calls = calls - named if value.startswith("~") else calls | named
    assert "read" in calls and "reboot" not in calls and "mount" not in calls
    return calls


def expanded(word):
    if not word.startswith("@"):
        return {word}
    lines = systemd_analyze("syscall-filter", "--no-pager", word).stdout.splitlines()
    inner = [line.strip() for line in lines if line.startswith("    ") and not line.strip().startswith("#")]
    assert inner, f"systemd knows no {word}"
    return set().union(*(expanded(inside) for inside in inner))


# Puts the filter on itself, and becomes the server. A call that is not allowed ends the process there and then.
FILTERED = """
import os, pyseccomp, sys
filter = pyseccomp.SyscallFilter(pyseccomp.KILL_PROCESS)
for name in sys.argv[1].split(","):
    try:
        number = pyseccomp.resolve_syscall(pyseccomp.Arch.NATIVE, name)
    except Exception:
        continue
    if number >= 0:
        filter.add_rule(pyseccomp.ALLOW, number)
filter.load()
os.execv(sys.argv[2], sys.argv[2:])
"""


@LINUX
def test_a_server_works_under_the_units_system_call_filter(unit, vglb, tmp_path):
    calls = ",".join(sorted(allowed_calls(unit)))
    exported = tmp_path / "exported"
    group = ["--socket-group", str(os.getegid())] if "--socket-group" in unit.read_text() else []
    words = [sys.executable, "-c", FILTERED, calls, vglb, "--port", "0", "--export", exported, *group]
    server = ServerProcess(words)
    run = lambda *more: subprocess.run(
        [vglb, *more],
        env={**os.environ, "VGLB_RUNTIME_DIR": str(server.runtime_dir)},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    try:
        port = str(server.wait_until_listening())
        for size, channel in [("17", "a"), ("33", "a"), ("65", "b")]:
            sent = run("send", "--identity", size, "--channel", channel, "--port", port)
            assert sent.returncode == 0, sent.stderr + server.output
        seen = run("receive", "vglb-lut-a", "--once", "--timeout", "20")
        assert "revision 2: 33³" in seen.stdout, seen.stderr + server.output
        server.wait_for_output("exported")
    finally:
        assert server.stop() == 0, server.output


@LINUX
def test_the_filter_of_the_test_is_a_filter(vglb):
    # Without this a filter that lets everything through would pass above.
    words = [sys.executable, "-c", FILTERED, "execve,exit_group", vglb, "--version"]
    assert subprocess.run([str(w) for w in words]).returncode == -31, "SIGSYS"


@LINUX
def test_install_and_uninstall_run_systemctl_and_say_what_it_said(vglb, tmp_path):
    said = tmp_path / "said"
    fake = tmp_path / "bin" / "systemctl"
    fake.parent.mkdir()
    fake.write_text(f'#!/bin/sh\necho "$@" >> {said}\n[ "$2" != restart ] || [ -z "$BROKEN" ] || {{ echo no bus >&2; exit 3; }}\n')
    fake.chmod(0o755)
    environment = {**os.environ, "HOME": str(tmp_path), "PATH": f"{fake.parent}:{os.environ['PATH']}"}
    environment.pop("XDG_CONFIG_HOME", None)
    run = lambda *words, **more: subprocess.run(
        [vglb, "service", *words], env={**environment, **more}, capture_output=True, encoding="utf-8", timeout=60
    )
    unit = tmp_path / ".config/systemd/user/virtual-gpu-lut-box.service"
    broken = run("install", BROKEN="1")
    assert broken.returncode == 1 and "no bus" in broken.stderr and "systemctl --user restart" in broken.stderr
    assert run("install", "--", "--host", "0.0.0.0").returncode == 0
    assert " serve --host 0.0.0.0\n" in unit.read_text()
    assert run("status").returncode == 0
    assert run("uninstall").returncode == 0 and not unit.exists()
    calls = said.read_text().splitlines()
    assert calls[-3:] == [
        "--user --no-pager status virtual-gpu-lut-box.service",
        "--user disable --now virtual-gpu-lut-box.service",
        "--user daemon-reload",
    ]
    again = run("uninstall")
    assert again.returncode == 1 and "there is no such service" in again.stderr
