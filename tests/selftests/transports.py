# SPDX-License-Identifier: GPL-2.0
"""Peers whose bytes aren't plain TCP's, and an agent that hands over their sockets.

TLS needs no handshake here: both ends are told the same keys, and the kernel does the rest;
but for the clients of kmqttd, who are at the end.
"""

import contextlib
import os
import socket
import ssl
import struct

from selftest import PATIENCE, Generic, Peer, check, mqtt

TCP_ULP = 31
SOL_TLS, TLS_TX, TLS_RX = 282, 1, 2
TLS_SET_RECORD_TYPE, TLS_GET_RECORD_TYPE = 1, 2
TLS_1_2, TLS_1_3, AES_GCM_128 = 0x0303, 0x0304, 51
ALERT, HANDSHAKE, DATA = 21, 22, 23

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10


def crypto_info(version, key):
    """struct tls12_crypto_info_aes_gcm_128: iv, key, salt, number of the first record."""
    return struct.pack("=HH8s16s4s8x", version, AES_GCM_128, b"vector..", key, b"salt")


def start_tls(sock, version, server, directions=(TLS_TX, TLS_RX)):
    """Both directions have keys of their own."""
    sock.setsockopt(socket.IPPROTO_TCP, TCP_ULP, b"tls")
    for direction in directions:
        to_client = (direction == TLS_TX) == server
        key = b"key to a client " if to_client else b"key to a server "
        sock.setsockopt(SOL_TLS, direction, crypto_info(version, key))


def send_record(sock, kind, data):
    sock.sendmsg([data], [(SOL_TLS, TLS_SET_RECORD_TYPE, bytes([kind]))])


TCP, MPTCP, UNIX, VSOCK = range(4)
PORTS = iter(range(20001, 30000))


def listen(netlink, **attributes):
    """Number of a new listener."""
    return netlink.command("listener", "add", **attributes)["id"]


def agent_listener(**attributes):
    netlink = Generic()
    try:
        return listen(netlink, port=(next(PORTS), 2), agent=b"certfile /x\n", **attributes)
    finally:
        netlink.sock.close()


class Agent:
    """Accepts at an address of its own, or at a given socket, and hands over what comes."""

    def __init__(self, listener, version=0, server=None, **said):
        self.netlink = Generic()
        self.socket = server or socket.create_server(("127.0.0.1", 0))
        self.address = self.socket.getsockname()
        self.listener, self.version, self.said = listener, version, said

    def accept(self):
        sock = self.socket.accept()[0]
        if self.version:
            start_tls(sock, self.version, server=True)
        return sock

    def adopt(self, sock, **said):
        """Number of the connection; the socket is still ours, too."""
        said = {"listener": self.listener, **self.said, **said}
        if self.version:
            said["tls_version"] = self.version, 2
        reply = self.netlink.command("conn", "adopt", of="adopt", fd=sock.fileno(), **said)
        return reply["connection"]

    def hand_over(self):
        with self.accept() as sock:
            return self.adopt(sock)

    def close(self):
        self.socket.close()
        self.netlink.sock.close()


class Adopted(Peer):
    """A client that comes through an agent."""

    connected = True

    def __init__(self, loop, agent, **kw):
        self.agent = agent
        super().__init__(loop, agent.address, **kw)

    def prepare(self, address):
        self.sock.connect(address)
        self.number = self.agent.hand_over()
        if self.agent.version:
            start_tls(self.sock, self.agent.version, server=False)


class Plain(Adopted):
    """It knows nothing of TLS, even if the agent does."""

    def prepare(self, address):
        self.sock.connect(address)
        self.number = self.agent.hand_over()

    def read(self):
        return None if self.sock.recv(self.chunk) else b""


class Secret(Adopted):
    """It notes control records."""

    def __init__(self, *args, **kw):
        self.records = []
        super().__init__(*args, **kw)

    def read(self):
        data, control, _, _ = self.sock.recvmsg(self.chunk, 64)
        kind = DATA
        for level, what, value in control:
            if level == SOL_TLS and what == TLS_GET_RECORD_TYPE:
                kind = value[0]
        if kind == DATA:
            return data
        self.records.append((kind, data))
        return None


def frame(opcode, payload, fin=True, mask=None, length=None):
    """A frame as a client sends it; length: said instead of the true one."""
    size = len(payload) if length is None else length
    mask = os.urandom(4) if mask is None else mask
    head = bytes([opcode | (0x80 if fin else 0)])
    bit = 0x80 if mask else 0
    if size < 126:
        head += bytes([bit | size])
    elif size < 1 << 16:
        head += bytes([bit | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([bit | 127]) + size.to_bytes(8, "big")
    if not mask:
        return head + payload
    stream = mask * (len(payload) // 4 + 1)
    number = int.from_bytes(payload, "big") ^ int.from_bytes(stream[:len(payload)], "big")
    return head + mask + number.to_bytes(len(payload), "big")


class Framed:
    """MQTT in WebSocket's frames, `frame_size` bytes in each, on top of a kind of Peer."""

    frame_size = 1 << 16

    def __init__(self, *args, **kw):
        self.raw = bytearray()
        self.control = []       # (opcode, payload)
        super().__init__(*args, **kw)

    def wrap(self, data):
        return super().wrap(b"".join(frame(BINARY, data[at:at + self.frame_size])
                                     for at in range(0, len(data), self.frame_size)))

    def read(self):
        data = super().read()
        if not data:
            return data
        self.raw += data
        found = bytearray()
        while (got := self.take()) is not None:
            opcode, payload = got
            if opcode in (CONTINUATION, BINARY):
                found += payload
                self.check_packet(payload)
            else:
                self.control.append((opcode, payload))
        return bytes(found) or None

    @staticmethod
    def check_packet(payload):
        """Each frame is a packet, as the broker has it for clients that can't do else."""
        length = at = 0
        while at < 4 and payload[1 + at:]:
            length |= (payload[1 + at] & 0x7f) << 7 * at
            at += 1
            if payload[at] < 0x80:
                break
        if len(payload) != 1 + at + length:
            raise mqtt.ProtocolError(f"a frame of {len(payload)} bytes for a packet of "
                                     f"{1 + at + length}")

    def take(self):
        raw = self.raw
        if len(raw) < 2:
            return None
        if raw[1] & 0x80:
            raise mqtt.ProtocolError("a server masks nothing")
        size, at = raw[1] & 0x7f, 2
        if size > 125:
            at = 4 if size == 126 else 10
            if len(raw) < at:
                return None
            size = int.from_bytes(raw[2:at], "big")
        if len(raw) < at + size:
            return None
        opcode, payload = raw[0] & 0xf, bytes(raw[at:at + size])
        if opcode >= CLOSE and raw[0] != 0x80 | opcode:
            raise mqtt.ProtocolError("a control frame in pieces")
        del raw[:at + size]
        return opcode, payload


class Web(Framed, Secret):
    """WebSocket as an agent hands it over."""


class Multipath(Peer):
    """Multipath TCP; before a kind of Peer it is the way to that."""

    def prepare(self, address):
        self.sock.close()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_MPTCP)
        super().prepare(address)


class Encrypted(Peer):
    """A client of kmqttd's. The loop needs to know of bytes only: OpenSSL is between buffers."""

    connected = True

    def __init__(self, loop, address, context):
        self.context = context
        super().__init__(loop, address)

    def prepare(self, address):
        self.sock.settimeout(PATIENCE)
        self.sock.connect(address)
        self.came, self.goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = self.context.wrap_bio(self.came, self.goes, server_hostname="localhost")
        while not self.shakes():
            data = self.sock.recv(self.chunk)
            check(data, "kmqttd ends the handshake")
            self.came.write(data)

    def shakes(self):
        """A step of the handshake; is it the last one?"""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            self.sock.sendall(self.goes.read())
        return True

    def wrap(self, data):
        self.tls.write(data)
        return self.goes.read()

    def read(self):
        data = self.sock.recv(self.chunk)
        if not data:
            return data
        self.came.write(data)
        found = bytearray()
        with contextlib.suppress(ssl.SSLWantReadError):
            while part := self.tls.read(self.chunk):
                found += part
        return bytes(found) or None


class EncryptedWeb(Framed, Encrypted):
    """The same with WebSocket, which begins with a request."""

    REQUEST = (b"GET /mqtt HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
               b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
               b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
               b"Sec-WebSocket-Protocol: mqtt\r\n\r\n")

    def prepare(self, address):
        super().prepare(address)
        self.sock.sendall(Encrypted.wrap(self, self.REQUEST))
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            data = Encrypted.read(self)
            check(data != b"", f"kmqttd ends after {answer}")
            answer += data or b""
        check(answer.startswith(b"HTTP/1.1 101 "), f"{answer}")
