"""send_lut: the other side of the wire."""

import socket
import threading

import bson
import numpy as np
import pytest
from wire import DEADLINE_S, random_lut, same_bits

import virtual_gpu_lut_box as vglb


def listen_once(reply):
    """A server that reads one message with pymongo's `bson`, and answers; returns its port and what it got."""
    got = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve():
        with listener, listener.accept()[0] as connection, connection.makefile("rb") as stream:
            prefix = stream.read(4)
            got.append(bson.decode(prefix + stream.read(int.from_bytes(prefix, "little") - 4)))
            connection.sendall(reply)

    thread = threading.Thread(target=serve)
    thread.start()
    return listener.getsockname()[1], got, thread


def test_the_message_is_what_a_grading_program_sends():
    lut = random_lut(3)
    for channel, order, axes in [("cam", "blue-fastest", (0, 1, 2, 3)), (None, "red-fastest", (2, 1, 0, 3))]:
        port, got, thread = listen_once(bson.encode({"result": 1}))
        assert vglb.send_lut(lut, channel, port=port, entry_order=order) is None
        thread.join()
        [message] = got
        assert message["command"] == "setLUT"
        assert message.get("instance") == channel
        assert message["arguments"]["lutSize"] == 3
        entries = np.frombuffer(message["arguments"]["lutData"], np.float32).reshape(3, 3, 3, 4)
        assert same_bits(entries[..., :3].copy(), lut.transpose(axes).copy())
        assert (entries[..., 3] == 1).all()


def test_a_refusal_has_the_servers_words():
    port, _, thread = listen_once(bson.encode({"result": 0, "error": "not today: é"}))
    with pytest.raises(vglb.LutRefusedError, match="^not today: é$"):
        vglb.send_lut(random_lut(2), port=port)
    thread.join()


def test_nobody_there_is_a_connectionerror():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionError, match=str(port)):
        vglb.send_lut(random_lut(2), port=port)


def test_a_server_that_closes_or_babbles_is_a_connectionerror():
    for reply in (b"", b"\xff\xff\xff\xff", bson.encode({"other": 1})):
        port, _, thread = listen_once(reply)
        with pytest.raises(ConnectionError):
            vglb.send_lut(random_lut(2), port=port)
        thread.join()


def test_a_server_that_does_not_answer_is_a_timeouterror():
    with socket.create_server(("127.0.0.1", 0)) as mute, pytest.raises(TimeoutError, match="did not answer"):
        vglb.send_lut(random_lut(2), port=mute.getsockname()[1], timeout=0.05)


@pytest.mark.parametrize("timeout", [-1.0, float("nan"), float("inf")])
def test_a_timeout_that_is_none_is_refused(timeout):
    with pytest.raises(ValueError):
        vglb.send_lut(random_lut(2), port=1, timeout=timeout)


def test_an_entry_order_that_is_none_is_refused():
    with pytest.raises(ValueError, match="blue-fastest, red-fastest"):
        vglb.send_lut(random_lut(2), entry_order="green-fastest")


def test_the_interpreter_is_free_while_a_lut_is_sent(serve):
    """A server whose callback needs this very interpreter answers."""
    got = []
    port = serve(lambda lut, channel: got.append(channel)).addresses[0][1]
    for i in range(20):
        vglb.send_lut(random_lut(2), f"c{i}", port=port, timeout=DEADLINE_S)
    assert got == [f"c{i}" for i in range(20)]
