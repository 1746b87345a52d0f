"""A server under a user of its own shares its streams with a group, and with nobody else.

Several users are needed for that, so it runs as root, as CI does: a server as one user, receivers as others."""

import os
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from server_process import ServerProcess

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="streams are shared with a group on Linux only")

# Numbers that no system gives away: no name is needed for them.
SERVER, MEMBER, STRANGER, GROUP, OTHER_GROUP = 61001, 61002, 61003, 61010, 61011


@pytest.fixture
def place():
    if os.geteuid() != 0:
        pytest.skip("only root can be several users: test_all_of_this_as_root runs this")
    with tempfile.TemporaryDirectory(prefix="vglb-group-") as folder:
        os.chmod(folder, 0o755)
        # As systemd makes a RuntimeDirectory=.
        streams = Path(folder) / "streams"
        streams.mkdir()
        os.chown(streams, SERVER, SERVER)
        os.chmod(streams, 0o700)
        yield streams


@pytest.fixture
def program(vglb, tmp_path_factory):
    """The program where every user can run it."""
    with tempfile.TemporaryDirectory(prefix="vglb-program-") as folder:
        os.chmod(folder, 0o755)
        there = Path(folder) / "vglb"
        there.write_bytes(vglb.read_bytes())
        there.chmod(0o755)
        yield there


def run_as(user, groups, command, place, **more):
    return subprocess.run(
        [str(word) for word in command],
        user=user,
        group=user,
        extra_groups=groups,
        env={"PATH": os.environ["PATH"], "VGLB_RUNTIME_DIR": str(place)},
        capture_output=True,
        text=True,
        timeout=60,
        **more,
    )


@pytest.fixture
def server(program, place):
    setpriv = ["setpriv", "--reuid", SERVER, "--regid", SERVER, "--groups", GROUP]
    words = [*setpriv, program, "--port", "0", "--no-state", "--gpu", "off", "--socket-group", GROUP]
    running = ServerProcess(words, {"VGLB_RUNTIME_DIR": str(place)})
    try:
        running.wait_until_listening()
        sent = run_as(SERVER, [], [program, "send", "--identity", "17", "--channel", "cam", "--port", running.port], place)
        assert sent.returncode == 0, sent.stderr
        yield running
    finally:
        assert running.stop() == 0


def receive(program, place, user, groups):
    return run_as(user, groups, [program, "receive", "vglb-lut-cam", "--once", "--timeout", "20"], place)


def test_all_of_this_as_root(vglb):
    if os.geteuid() == 0:
        return
    if subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode != 0:
        assert "CI" not in os.environ, "this has to run as root, or where sudo asks no question"
        pytest.skip("only root can be several users, and sudo asks for a password")
    words = ["sudo", "-n", "env", f"VGLB_BIN={vglb}", sys.executable, "-m", "pytest", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_directory_and_the_sockets_are_the_groups(server, place):
    directory = place.stat()
    assert (directory.st_uid, directory.st_gid, directory.st_mode & 0o7777) == (SERVER, GROUP, 0o750)
    made = (place / "vglb-lut-cam.sock").lstat()
    assert (made.st_uid, made.st_gid, made.st_mode & 0o777) == (SERVER, GROUP, 0o660)
    lock = (place / ".lock").lstat()
    assert lock.st_mode & 0o777 == 0o600


def test_a_member_of_the_group_receives(server, program, place):
    for groups in ([GROUP], [OTHER_GROUP, GROUP]):
        listed = run_as(MEMBER, groups, [program, "list"], place)
        assert "vglb-lut-cam" in listed.stdout, listed.stderr
        seen = receive(program, place, MEMBER, groups)
        assert seen.returncode == 0 and "revision 1: 17³" in seen.stdout, seen.stderr


def test_the_servers_own_user_receives(server, program, place):
    seen = receive(program, place, SERVER, [])
    assert seen.returncode == 0, seen.stderr


def test_a_stranger_receives_nothing(server, program, place):
    seen = receive(program, place, STRANGER, [OTHER_GROUP])
    assert seen.returncode == 1 and "Permission denied" in seen.stderr, seen.stderr


def test_the_server_itself_refuses_who_is_not_of_the_group(server, place):
    # Where the files' modes would let everybody in, the server still asks the kernel who it is.
    os.chmod(place, 0o755)
    os.chmod(place / "vglb-lut-cam.sock", 0o666)
    path = str(place / "vglb-lut-cam.sock")
    assert not is_served(path, STRANGER, STRANGER, [OTHER_GROUP])
    assert is_served(path, MEMBER, MEMBER, [OTHER_GROUP, GROUP])
    assert is_served(path, MEMBER, GROUP, []), "its first group"


def is_served(path, user, group, further):
    """Connects as somebody, and says nothing: a stranger hears GONE at once, and others are waited for."""
    before = os.getgroups()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
        os.setgroups(further)
        os.setegid(group)
        os.seteuid(user)
        try:
            connection.connect(path)
        finally:
            os.seteuid(0)
            os.setegid(0)
            os.setgroups(before)
        connection.settimeout(0.5)
        try:
            connection.recv(4096)
            return False
        except TimeoutError:
            return True


def test_another_users_directory_is_trusted_only_where_it_was_named(server, program, place):
    # Somebody of a group of ours made it, where this program would look by itself.
    home = place.parent / "runtime"
    home.mkdir()
    os.chmod(home, 0o755)
    trap = home / "virtual-gpu-lut-box"
    trap.mkdir()
    os.chown(trap, SERVER, GROUP)
    os.chmod(trap, 0o750)
    listed = subprocess.run(
        [program, "list"],
        user=MEMBER,
        group=MEMBER,
        extra_groups=[GROUP],
        env={"XDG_RUNTIME_DIR": str(home)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert listed.returncode == 1 and f"belongs to user {SERVER}" in listed.stderr, listed.stderr


def test_a_directory_that_others_can_write_into_is_not_trusted(program, place):
    os.chown(place, SERVER, GROUP)
    for mode in (0o770, 0o755, 0o752):
        os.chmod(place, mode)
        listed = run_as(MEMBER, [GROUP], [program, "list"], place)
        assert listed.returncode == 1, (oct(mode), listed.stdout)


def test_a_server_says_at_once_why_it_cannot_share(program, place):
    for group, why in [("no-such-group", "there is no group"), (str(OTHER_GROUP), "has to be in that group")]:
        refused = run_as(SERVER, [], [program, "--port", "0", "--no-state", "--socket-group", group], place)
        assert refused.returncode == 1 and why in refused.stderr, refused.stderr
