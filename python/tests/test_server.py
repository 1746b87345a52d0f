"""OpenGradeIOServer: listening, calling back, stopping."""

import errno
import logging
import socket
import threading

import numpy as np
import pytest
from wire import DEADLINE_S, Gate, random_lut, same_bits

import virtual_gpu_lut_box as vglb


def test_the_callback_gets_every_bit_and_the_channel(serve, connect):
    got = []
    client = connect(serve(lambda lut, channel: got.append((lut, channel))))
    for size in (2, 3, 33, 65):
        for channel in (None, "cam “A”", ""):
            lut = random_lut(size)
            assert client.set_lut(lut, channel) == {"result": 1}
            seen, name = got.pop()
            assert name == (channel or None)
            assert seen.shape == (size, size, size, 3)
            assert same_bits(seen, lut)


def test_the_lut_is_the_callbacks_to_keep_and_to_change(serve, connect):
    kept = []
    client = connect(serve(lambda lut: kept.append(lut)))
    first, second = random_lut(5, 1), random_lut(5, 2)
    client.set_lut(first)
    assert kept[0].flags.writeable
    kept[0][0, 0, 0] = 7
    client.set_lut(second)
    assert same_bits(kept[1], second)
    assert kept[0][0, 0, 0, 0] == 7
    assert same_bits(kept[0].reshape(-1, 3)[1:], first.reshape(-1, 3)[1:])


def test_the_first_axis_is_red(serve, connect):
    got = []
    client = connect(serve(got.append))
    n = 4
    r, g, b = np.meshgrid(*[np.arange(n, dtype=np.float32)] * 3, indexing="ij")
    client.set_lut(np.stack([r, g, b], axis=-1))
    assert got[0][3, 2, 1].tolist() == [3, 2, 1]


def test_callbacks_run_on_one_thread_that_is_not_the_callers(serve, connect):
    seen = []
    server = serve(lambda lut: seen.append(threading.current_thread()))
    for _ in range(3):
        connect(server).set_lut(random_lut(2))
    assert len(set(seen)) == 1
    assert seen[0] not in (threading.main_thread(), threading.current_thread())
    assert seen[0].name.startswith("vglb-callback 127.0.0.1")
    assert seen[0].daemon


def one(lut):
    return lut


def two(lut, channel):
    return lut, channel


def two_by_default(lut, channel_name=None):
    return lut, channel_name


def any_number(*arguments):
    return arguments


def one_and_a_keyword(lut, *, channel=None):
    assert channel is None


@pytest.mark.parametrize("callback", [one, two, two_by_default, any_number, one_and_a_keyword, [].append, print])
def test_a_callback_may_take_the_lut_alone_or_with_its_channel(serve, connect, callback):
    assert connect(serve(callback)).set_lut(random_lut(2), "x") == {"result": 1}


def test_a_typeerror_of_the_callback_is_its_own_and_it_is_called_once(serve, connect):
    calls = []

    def callback(lut, channel):
        calls.append(channel)
        raise TypeError("one of mine")

    assert connect(serve(callback)).set_lut(random_lut(2), "x") == {"result": 0, "error": "TypeError: one of mine"}
    assert calls == ["x"]


@pytest.mark.parametrize("callback", [lambda: None, lambda a, b, c: None, 7, "x"])
def test_what_cannot_be_a_callback_is_refused_when_it_is_set(callback):
    with pytest.raises(TypeError, match="lut_callback must"):
        vglb.OpenGradeIOServer(lut_callback=callback)
    with pytest.raises(TypeError, match="lut_callback must"):
        vglb.OpenGradeIOServer().set_lut_callback(callback)


class Unspeakable(Exception):
    def __str__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError("not this one: é"), "ValueError: not this one: é"),
        (KeyError("k"), "KeyError: 'k'"),
        (RuntimeError(), "RuntimeError"),
        (SystemExit(3), "SystemExit: 3"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (ValueError("\ud800"), "ValueError: ?"),
        (Unspeakable(), "Unspeakable: (its text can't be had)"),
    ],
)
def test_an_exception_is_the_reply_and_a_log_record_and_the_server_goes_on(serve, connect, caplog, error, told):
    server = serve()

    def callback(lut, channel):
        if channel == "bad":
            raise error

    server.set_lut_callback(callback)
    client = connect(server)
    with caplog.at_level(logging.ERROR, "virtual_gpu_lut_box"):
        assert client.set_lut(random_lut(2), "bad") == {"result": 0, "error": told}
    record = next(r for r in caplog.records if r.levelno == logging.ERROR)
    assert record.name == "virtual_gpu_lut_box.network.server"
    assert record.exc_info[1] is error
    assert client.set_lut(random_lut(2), "good") == {"result": 1}
    assert server.is_running


def test_without_a_callback_a_lut_is_refused_and_one_can_be_set_later(serve, connect):
    server = serve()
    client = connect(server)
    reply = client.set_lut(random_lut(2))
    assert reply["result"] == 0
    assert "no LUT callback" in reply["error"]
    got = []
    server.lut_callback = got.append
    assert server.lut_callback == got.append
    assert client.set_lut(random_lut(2)) == {"result": 1}
    server.set_lut_callback(None)
    assert client.set_lut(random_lut(2))["result"] == 0
    assert len(got) == 1


def test_bad_requests_never_reach_the_callback(serve, connect):
    got = []
    client = connect(serve(got.append))
    lut = random_lut(3)
    lut[1, 2, 0, 1] = np.nan
    reply = client.set_lut(lut)
    assert reply["result"] == 0
    assert "r=1, g=2, b=0" in reply["error"]
    assert "100 bytes" in client.request({"command": "setLUT", "arguments": {"lutData": bytes(100)}})["error"]
    assert client.request({"command": "setCDL", "arguments": {"slope": [1, 1, 1], "offset": [0, 0, 0], "power": [1, 1, 1]}})[
        "result"
    ] == 0
    assert got == []


def test_start_returns_once_it_listens_and_stop_frees_the_port(connect):
    server = vglb.OpenGradeIOServer(port=0, lut_callback=one)
    assert not server.is_running
    assert server.addresses == []
    server.start()
    assert server.is_running
    [(host, port)] = server.addresses
    assert host == "127.0.0.1"
    assert server.port == 0
    client = connect(port)
    assert client.set_lut(random_lut(2)) == {"result": 1}
    server.stop()
    assert not server.is_running
    assert server.addresses == []
    assert client.is_closed()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
    server.stop()
    again = vglb.OpenGradeIOServer(port=port, lut_callback=one)
    with again as entered:
        assert entered is again
        assert connect(port).set_lut(random_lut(2)) == {"result": 1}
    assert not again.is_running


def test_a_port_in_use_is_an_oserror_with_the_reason(serve):
    port = serve(one).addresses[0][1]
    second = vglb.OpenGradeIOServer(port=port, lut_callback=one)
    with pytest.raises(OSError, match=f"port {port} on 127\\.0\\.0\\.1 is in use") as caught:
        second.start()
    assert caught.value.errno == errno.EADDRINUSE
    assert isinstance(caught.value, vglb.ServerStartError)
    assert isinstance(caught.value, RuntimeError)
    assert not second.is_running
    second.stop()


def test_a_host_that_is_none_of_this_computer_is_an_oserror():
    # An address for documentation, which no computer has.
    with pytest.raises(OSError, match="192.0.2.1"):
        vglb.OpenGradeIOServer(host="192.0.2.1", port=0, lut_callback=one).start()


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(OverflowError):
        vglb.OpenGradeIOServer(port=port).start()


def test_starting_twice_is_a_warning(serve, caplog):
    server = serve(one)
    before = server.addresses
    with caplog.at_level(logging.WARNING, "virtual_gpu_lut_box"):
        server.start()
    assert "is running already" in caplog.text
    assert server.addresses == before


def test_wait_tells_whether_it_has_stopped(serve):
    server = serve(one)
    assert not server.wait(0)
    assert not server.wait(0.01)
    waiting = threading.Thread(target=server.wait)
    waiting.start()
    server.stop()
    waiting.join(DEADLINE_S)
    assert not waiting.is_alive()
    assert server.wait()
    assert vglb.OpenGradeIOServer().wait()


def test_two_servers_in_one_process_have_nothing_in_common(serve, connect):
    got = {"one": [], "two": []}
    first = serve(lambda lut, channel: got["one"].append(channel))
    second = serve(lambda lut, channel: got["two"].append(channel))
    one_client, two_client = connect(first), connect(second)
    for i in range(20):
        assert one_client.set_lut(random_lut(2), f"a{i}") == {"result": 1}
        assert two_client.set_lut(random_lut(3), f"b{i}") == {"result": 1}
    first.stop()
    assert two_client.set_lut(random_lut(2), "last") == {"result": 1}
    assert got["one"] == [f"a{i}" for i in range(20)]
    assert got["two"] == [f"b{i}" for i in range(20)] + ["last"]


def test_a_blocked_callback_holds_up_its_own_server_only(serve, connect):
    gate = Gate()
    blocked, free = serve(gate), serve(one)
    waiting = connect(blocked)
    waiting.send_lut(random_lut(2))
    assert gate.entered.wait(DEADLINE_S)
    assert connect(free).set_lut(random_lut(2)) == {"result": 1}
    gate.open.set()
    assert waiting.reply() == {"result": 1}


def test_stop_lets_a_callback_finish_and_its_client_be_told(serve, connect):
    gate = Gate()
    server = serve(gate)
    client = connect(server)
    client.send_lut(random_lut(2))
    assert gate.entered.wait(DEADLINE_S)
    stopping = threading.Thread(target=server.stop)
    stopping.start()
    gate.open.set()
    assert client.reply() == {"result": 1}
    stopping.join(DEADLINE_S)
    assert not stopping.is_alive()


def test_stop_does_not_wait_for_ever_for_a_callback_that_hangs(serve, connect, caplog):
    gate = Gate()
    server = serve(gate)
    hanging, queued = connect(server), connect(server)
    hanging.send_lut(random_lut(2))
    assert gate.entered.wait(DEADLINE_S)
    queued.send_lut(random_lut(2))
    with caplog.at_level(logging.WARNING, "virtual_gpu_lut_box"):
        server.stop()
    assert "has not returned" in caplog.text
    thread = next(t for t in threading.enumerate() if t.name.startswith("vglb-callback"))
    gate.open.set()
    thread.join(DEADLINE_S)
    assert not thread.is_alive()
    assert hanging.is_closed()
    assert queued.is_closed()


def test_the_callback_may_stop_its_server_and_its_client_is_told(connect):
    server = vglb.OpenGradeIOServer(port=0)
    running = []

    def callback(lut):
        server.stop()
        running.append(server.is_running)

    server.set_lut_callback(callback)
    server.start()
    client = connect(server)
    assert client.set_lut(random_lut(2)) == {"result": 1}
    assert running == [False]
    assert server.wait(DEADLINE_S)
    assert client.is_closed()


def test_the_callback_may_restart_its_server_on_the_same_port(connect):
    server = vglb.OpenGradeIOServer(port=0)
    restarted = []

    def callback(lut):
        if not restarted:
            server.port = server.addresses[0][1]
            server.stop()
            server.start()
            restarted.append(server.port)

    server.set_lut_callback(callback)
    with server:
        first = connect(server)
        assert first.set_lut(random_lut(2)) == {"result": 1}
        assert first.is_closed()
        assert server.addresses == [("127.0.0.1", restarted[0])]
        assert connect(server).set_lut(random_lut(2)) == {"result": 1}


def test_a_server_that_nobody_holds_goes_on(connect):
    got = []

    def set_up():
        server = vglb.OpenGradeIOServer(port=0, lut_callback=got.append)
        server.start()
        return connect(server)

    client = set_up()
    assert client.set_lut(random_lut(2)) == {"result": 1}
    assert len(got) == 1


def test_many_clients_at_once_are_all_answered(serve, connect):
    seen = []
    server = serve(lambda lut, channel: seen.append((channel, float(lut[0, 0, 0, 0]))))
    clients = [connect(server) for _ in range(8)]
    replies = []

    def work(number):
        for i in range(50):
            lut = np.full((3, 3, 3, 3), i, np.float32)
            replies.append(clients[number].set_lut(lut, f"c{number}"))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [{"result": 1}] * 400
    for number in range(8):
        assert [value for channel, value in seen if channel == f"c{number}"] == list(range(50))


def test_it_says_what_it_is():
    assert repr(vglb.OpenGradeIOServer("localhost", 9000)) == "OpenGradeIOServer(host='localhost', port=9000)"
