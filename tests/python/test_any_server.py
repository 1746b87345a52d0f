"""What any server answers, whatever it runs on: VGLB_SERVER_PORT names one that runs already, such as the Windows program
in Wine; without it, one is started."""

import os
import struct
import threading

import bson
import numpy as np
import pytest
from client import Client, random_bits, set_lut

OK = {"result": 1}


@pytest.fixture
def port(request):
    """Where the server listens."""
    running = os.environ.get("VGLB_SERVER_PORT")
    if running:
        return int(running)
    return request.getfixturevalue("start_server")("--backend", "memory").port


def refusal(reply):
    assert reply["result"] == 0
    assert set(reply) == {"result", "error"}
    return reply["error"]


@pytest.mark.parametrize("size", [2, 3, 16, 17, 32, 33, 64, 65, 128])
def test_luts_of_every_size_are_accepted(port, size):
    with Client(port) as client:
        for channel in [None, "cam A", "Bühne 1"]:
            assert client.set_lut(channel, random_bits(size, 1)) == OK


def test_pipelined_requests_are_answered_in_order(port):
    requests = [
        set_lut("a", random_bits(4, 1)),
        {"command": "nonsense"},
        set_lut("b", random_bits(33, 2)),
        {"command": "setLUT", "arguments": {"lutData": b"\0" * 100}},
        set_lut("a", random_bits(17, 3)),
    ]
    with Client(port) as client:
        client.socket.sendall(b"".join(bson.encode(request) for request in requests))
        assert [client.reply()["result"] for _ in requests] == [1, 0, 1, 0, 1]


def test_what_cannot_be_used_is_refused_and_the_connection_goes_on(port):
    infinite = random_bits(3, 1)
    infinite[5, 1] = np.inf
    with Client(port) as client:
        for document, says in [
            ({"command": "setLUT", "arguments": {"lutData": b"\0" * 100}}, "100 bytes are not a whole number of entries"),
            ({"command": "setLUT", "arguments": {"lutData": b"\0" * 16 * 9}}, "9 entries"),
            ({"command": "setLUT", "arguments": {}}, "lutData"),
            (set_lut("a", infinite), "not finite"),
            ({"command": "nonsense"}, '"nonsense"'),
            ({"service": "test"}, "command"),
            (set_lut("x" * 2000, random_bits(2, 1)), "2000 bytes"),
        ]:
            assert says in refusal(client.request(document)), document.get("command")
        assert client.set_lut("a", random_bits(2, 2)) == OK


@pytest.mark.parametrize(
    "start",
    [b"\4\0\0\0", b"\xff\xff\xff\xff", struct.pack("<i", 1 << 30), b"\x08\0\0\0\x7f!!!\0", b"GET / HTTP/1.1\r\n\r\n"],
)
def test_what_is_no_message_is_answered_and_the_connection_closed(port, start):
    with Client(port) as client:
        client.socket.sendall(start)
        assert refusal(client.reply())
        assert client.is_closed()
    with Client(port) as client:
        assert client.set_lut(None, random_bits(2, 1)) == OK


def test_cdl_values_are_taken(port):
    arguments = {"slope": [1.0, 1.1, 0.9], "offset": {"r": 0.0, "g": 0.01, "b": 0.0}, "power": [1, 1, 1], "saturation": 0.9}
    with Client(port) as client:
        assert client.request({"command": "setCDL", "instance": "cdl", "arguments": arguments}) == OK
        arguments["slope"] = [-1.0, 1.0, 1.0]
        assert "slope" in refusal(client.request({"command": "setCDL", "instance": "cdl", "arguments": arguments}))


def test_eight_connections_on_four_channels_with_mixed_sizes(port):
    sizes = [2, 17, 33, 16, 32]
    replies = []

    def work(connection):
        with Client(port) as client:
            for i in range(25):
                entries = random_bits(sizes[(i + connection) % len(sizes)], 100 * connection + i)
                replies.append(client.set_lut("abcd"[(connection + i) % 4], entries))

    threads = [threading.Thread(target=work, args=(connection,)) for connection in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [OK] * 200


def test_a_client_that_vanishes_in_the_middle_of_a_lut_harms_nobody(port):
    whole = bson.encode(set_lut("a", random_bits(33, 1)))
    with Client(port) as client:
        client.socket.sendall(whole[: len(whole) // 2])
    with Client(port) as client:
        assert client.set_lut("a", random_bits(33, 2)) == OK
