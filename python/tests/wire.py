"""A client made of sockets and pymongo's `bson`, and LUTs to send."""

import socket
import threading

import bson
import numpy as np

# Generous: it only matters where something is broken.
DEADLINE_S = 60


class Client:
    """One connection, as a grading program would hold it."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send_lut(self, lut, channel=None, **more):
        """Sends without waiting for the reply."""
        rgba = np.ones((*lut.shape[:3], 4), np.float32)
        rgba[..., :3] = lut
        document = {"command": "setLUT", **more, "arguments": {"lutData": rgba.tobytes()}}
        if channel is not None:
            document["instance"] = channel
        self.socket.sendall(bson.encode(document))

    def reply(self):
        prefix = self._exactly(4)
        return bson.decode(prefix + self._exactly(int.from_bytes(prefix, "little") - 4))

    def set_lut(self, lut, channel=None):
        self.send_lut(lut, channel)
        return self.reply()

    def request(self, document):
        self.socket.sendall(bson.encode(document))
        return self.reply()

    def is_closed(self):
        """Waits until the server has closed the connection."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionError:
            return True

    def _exactly(self, count):
        received = b""
        while len(received) < count:
            piece = self.socket.recv(count - len(received))
            assert piece, "the server closed the connection"
            received += piece
        return received


def random_lut(size, seed=0):
    """A LUT of random finite bit patterns: −0.0, subnormals and ±3e38 among them."""
    bits = np.random.default_rng([size, seed]).integers(0, 2**32, (size, size, size, 3), dtype=np.uint32)
    bits[(bits & 0x7F800000) == 0x7F800000] &= 0xBFFFFFFF
    flat = bits.reshape(-1)
    flat[0::11] = 0x80000000
    flat[1::11] &= 0x807FFFFF
    flat[2::11] = np.where(flat[2::11] & 1, np.float32(3e38).view(np.uint32), np.float32(-3e38).view(np.uint32))
    lut = bits.view(np.float32)
    assert np.isfinite(lut).all()
    return lut


def same_bits(got, wanted):
    assert got.dtype == wanted.dtype == np.float32
    assert got.shape == wanted.shape
    return bool((np.ascontiguousarray(got).view(np.uint32) == np.ascontiguousarray(wanted).view(np.uint32)).all())


def strip(lut):
    """The texture of a LUT, by the formula: row r, column b·N + g, alpha 1."""
    size = len(lut)
    texture = np.ones((size, size * size, 4), np.float32)
    for r in range(size):
        for g in range(size):
            for b in range(size):
                texture[r, b * size + g, :3] = lut[r, g, b]
    return texture


class Gate:
    """A callback that waits until it is let go."""

    def __init__(self):
        self.entered = threading.Event()
        self.open = threading.Event()

    def __call__(self, lut, channel):
        self.entered.set()
        assert self.open.wait(DEADLINE_S), "the gate was never opened"
