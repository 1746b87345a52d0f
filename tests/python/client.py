"""A grading program that shares nothing with ours: the `bson` module over a plain socket."""

import socket

import bson
import numpy as np


class Client:
    """One connection, as a grading program would hold it."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def request(self, document):
        self.socket.sendall(bson.encode(document))
        return self.reply()

    def reply(self):
        prefix = self._exactly(4)
        return bson.decode(prefix + self._exactly(int.from_bytes(prefix, "little") - 4))

    def is_closed(self):
        """Waits until the server has closed the connection."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def set_lut(self, channel, entries):
        return self.request(set_lut(channel, entries))

    def _exactly(self, count):
        received = b""
        while len(received) < count:
            piece = self.socket.recv(count - len(received))
            assert piece, "the server closed the connection"
            received += piece
        return received


def set_lut(channel, entries):
    """The request that puts a LUT into force."""
    document = {"command": "setLUT", "service": "test", "type": "3D"}
    if channel is not None:
        document["instance"] = channel
    size = round(len(entries) ** (1 / 3))
    document["arguments"] = {"lutSize": size, "lutData": entries.tobytes()}
    return document


def random_bits(size, seed):
    """N³ RGBA entries of random finite bit patterns: −0.0, subnormals and ±3e38 among them."""
    rng = np.random.default_rng([size, seed])
    bits = rng.integers(0, 2**32, (size**3, 4), dtype=np.uint32)
    bits[(bits & 0x7F800000) == 0x7F800000] &= 0xBFFFFFFF
    flat = bits.reshape(-1)
    flat[0::11] = 0x80000000
    flat[1::11] &= 0x807FFFFF
    flat[2::11] = np.where(flat[2::11] & 1, np.float32(3e38).view(np.uint32), np.float32(-3e38).view(np.uint32))
    values = bits.view(np.float32)
    assert np.isfinite(values).all()
    return values
