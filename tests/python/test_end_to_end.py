"""From the wire to another process, bit for bit: a client that knows nothing of our code sends with the `bson` module,
a receiver in a process of its own saves what it sees, and the bits are compared."""

import subprocess
import threading

import numpy as np
import pytest
from client import Client, random_bits

SIZES = [2, 16, 17, 32, 33, 64, 65, 128]


def strip(entries):
    """The texture that blue-fastest entries make: row r, column b·N + g, alpha 1."""
    size = round(len(entries) ** (1 / 3))
    texture = entries.reshape(size, size, size, 4).transpose(0, 2, 1, 3).reshape(size, size * size, 4).copy()
    texture[..., 3] = 1.0
    return texture


def receive(vglb, server, stream, to):
    """What a process of its own sees on a stream now."""
    command = [vglb, "receive", stream, "--once", "--timeout", "60", "--out", to]
    environment = {"VGLB_RUNTIME_DIR": str(server.runtime_dir)}
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8", timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    return np.load(to)


def assert_same_bits(got, wanted):
    assert got.dtype == np.float32
    assert got.shape == wanted.shape
    assert (np.ascontiguousarray(got).view(np.uint32) == np.ascontiguousarray(wanted).view(np.uint32)).all()


@pytest.mark.parametrize("size", SIZES)
def test_every_bit_of_a_lut_reaches_another_process(vglb, server, tmp_path, size):
    with Client(server.port) as client:
        for seed, channel in enumerate(["cam A", None]):
            entries = random_bits(size, seed)
            assert client.set_lut(channel, entries) == {"result": 1}
            stream = "OpenGradeIO-LUT" if channel is None else f"vglb-lut-{channel}"
            assert_same_bits(receive(vglb, server, stream, tmp_path / "texture.npy"), strip(entries))


def test_every_file_format_holds_what_the_texture_holds(vglb, server, tmp_path):
    entries = random_bits(9, 5)
    with Client(server.port) as client:
        assert client.set_lut("x", entries) == {"result": 1}
    texture = receive(vglb, server, "vglb-lut-x", tmp_path / "direct.npy")
    environment = {"VGLB_RUNTIME_DIR": str(server.runtime_dir)}
    for extension in ["exr", "cube"]:
        saved, back = tmp_path / f"saved.{extension}", tmp_path / f"back-{extension}.npy"
        receive_command = [vglb, "receive", "vglb-lut-x", "--once", "--timeout", "60", "--out", saved]
        for command in (receive_command, [vglb, "convert", saved, back]):
            subprocess.run(command, env=environment, check=True, timeout=120, capture_output=True)
        assert_same_bits(np.load(back), texture)


def test_eight_connections_on_four_channels_with_mixed_sizes(vglb, server, tmp_path):
    """1,000 LUTs: every reply is 1, and every stream ends on the last LUT that its channel sent."""
    sizes = [2, 17, 33, 16, 32]
    last_sent = {}
    order = {channel: threading.Lock() for channel in ["a", "b", "c", "d"]}
    replies = []

    def work(connection):
        with Client(server.port) as client:
            for i in range(125):
                channel = "abcd"[(connection + i) % 4]
                entries = random_bits(sizes[(i + connection) % len(sizes)], 1000 * connection + i)
                # The last few are sent one at a time on each channel, so that "last" has a meaning.
                if i < 100:
                    replies.append(client.set_lut(channel, entries))
                else:
                    with order[channel]:
                        replies.append(client.set_lut(channel, entries))
                        last_sent[channel] = entries

    threads = [threading.Thread(target=work, args=(connection,)) for connection in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(replies) == 1000
    assert all(reply == {"result": 1} for reply in replies)
    # One more on each, now that nothing else is under way.
    with Client(server.port) as client:
        for number, channel in enumerate("abcd"):
            seen = receive(vglb, server, f"vglb-lut-{channel}", tmp_path / f"{channel}.npy")
            assert seen.shape[0] in sizes
            last_sent[channel] = random_bits(sizes[number], 77 + number)
            assert client.set_lut(channel, last_sent[channel]) == {"result": 1}
    for channel in "abcd":
        assert_same_bits(
            receive(vglb, server, f"vglb-lut-{channel}", tmp_path / f"{channel}.npy"), strip(last_sent[channel])
        )


def test_refusals_are_documents_that_any_client_can_read(server):
    with Client(server.port) as client:
        reply = client.request({"command": "setLUT", "arguments": {"lutData": b"\0" * 100}})
        assert reply["result"] == 0
        assert "100 bytes are not a whole number of entries" in reply["error"]
        assert client.request({"command": "setCDL", "instance": "c", "arguments": {
            "slope": [1.0, 1.0, 1.0], "offset": {"r": 0.0, "g": 0.0, "b": 0.0}, "power": [1, 1, 1],
        }}) == {"result": 1}
