# SPDX-License-Identifier: GPL-2.0
"""WebSocket and the PROXY protocol, in front of and behind TLS."""

import socket
import struct

import pytest
from conftest import Client, Records, echoes, ended, needs_ktls

REQUEST = (
    b"GET /mqtt HTTP/1.1\r\nHost: broker\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    b"Sec-WebSocket-Protocol: mqtt\r\n\r\n"
)
WEBSOCKET = "protocol websockets\n"


def answer(sock):
    got = b""
    while not got.endswith(b"\r\n\r\n"):
        piece = sock.recv(1)
        assert piece, got
        got += piece
    return got


def is_upgraded(sock):
    assert answer(sock).startswith(b"HTTP/1.1 101 ")
    echoes(sock)


def test_websocket(server):
    server.start(WEBSOCKET)
    with server.connect() as sock:
        sock.sendall(REQUEST)
        is_upgraded(sock)
        told = server.told()
        assert (told["websocket"], told["tls"], told["peer"]) == (True, 0, "")


def test_in_pieces(server):
    server.start(WEBSOCKET)
    with server.connect() as sock:
        for at in range(len(REQUEST)):
            sock.sendall(REQUEST[at:at + 1])
        is_upgraded(sock)


def test_long_request(server):
    """It takes more than one turn."""
    server.start(WEBSOCKET)
    with server.connect() as sock:
        sock.sendall(REQUEST[:-2] + b"X: " + b"x\r" * 3000 + b"\r\n\r\n" + b"more")
        assert answer(sock).startswith(b"HTTP/1.1 400 ")
    with server.connect() as sock:
        sock.sendall(REQUEST[:-2] + b"X: " + b"x" * 7000 + b"\r\n\r\n")
        is_upgraded(sock)


def test_data_behind_the_request(server):
    """No client sends any, but it would not be lost."""
    server.start(WEBSOCKET)
    with server.connect() as sock:
        sock.sendall(REQUEST + b"more")
        assert answer(sock).startswith(b"HTTP/1.1 101 ")
        assert sock.recv(100) == b"more"
        echoes(sock)


@needs_ktls
def test_secure_websocket(server, pki):
    server.start(pki.agent() + WEBSOCKET)
    with Client(pki, alpn=["http/1.1"]).connect(server) as sock:
        assert sock.selected_alpn_protocol() == "http/1.1"
        sock.sendall(REQUEST[:50])
        sock.sendall(REQUEST[50:])
        is_upgraded(sock)
        told = server.told()
        assert told["websocket"] and told["tls"]


@needs_ktls
def test_data_behind_the_request_in_tls(server, pki):
    """In the same record, and in others."""
    server.start(pki.agent() + WEBSOCKET)
    with Client(pki).connect(server) as sock:
        sock.sendall(REQUEST + b"mo")
        sock.sendall(b"re")
        assert answer(sock).startswith(b"HTTP/1.1 101 ")
        got = b""
        while len(got) < 4:
            got += sock.recv(100)
        assert got == b"more"
        echoes(sock)


@needs_ktls
def test_records_without_data(server, pki, tmp_path):
    """They cost nothing: neither memory that is kept for them nor time."""
    server.start(pki.agent() + WEBSOCKET + "kmqtt_handshake_timeout 300\n"
                 "ciphers_tls1.3 TLS_AES_128_GCM_SHA256\n")
    client = Client(pki)
    client.context.keylog_filename = str(tmp_path / "secrets")
    with client.connect(server) as sock:
        records = Records(tmp_path / "secrets")
        for _ in range(20):
            socket.socket.sendall(sock, b"".join(records.make(b"") for _ in range(500)))
        server.silent()
        begin = server.seconds()
        server.silent(1)
        assert server.seconds() - begin < 0.5
        socket.socket.sendall(sock, records.make(REQUEST[:100]) + records.make(b"")
                              + records.make(REQUEST[100:]))
        assert answer(sock).startswith(b"HTTP/1.1 101 ")
        assert server.told()["websocket"]


@pytest.mark.parametrize(
    "request_,status",
    (
        (REQUEST.replace(b"GET", b"PUT"), b"405"),
        (REQUEST.replace(b"Upgrade: websocket\r\n", b""), b"404"),
        (REQUEST.replace(b"mqtt\r\n\r\n", b"chat\r\n\r\n"), b"400"),
        (REQUEST.replace(b"13\r\n", b"8\r\n"), b"426"),
        (REQUEST[:-2] + b"Origin: https://evil.example\r\n\r\n", b"403"),
        (REQUEST[:-2] + b"X: " + b"x" * 9000, b"431"),
    ),
    ids=("PUT", "no upgrade", "chat", "version", "origin", "long"),
)
def test_refused(server, request_, status):
    server.start(WEBSOCKET + "websockets_origin https://good.example\n")
    with server.connect() as sock:
        sock.sendall(request_)
        assert answer(sock).split(b" ")[1] == status
        assert ended(sock)
    assert server.logged(f": WebSocket: HTTP/1.1 {status.decode()}")
    server.silent()


@needs_ktls
def test_refused_in_tls(server, pki):
    server.start(pki.agent() + WEBSOCKET)
    with Client(pki).connect(server) as sock:
        sock.sendall(REQUEST.replace(b"GET", b"PUT"))
        assert answer(sock).startswith(b"HTTP/1.1 405 ")
        # With a proper end, or this would raise.
        sock.suppress_ragged_eofs = False
        assert sock.recv(10) == b""


def begin(server):
    while server.reload()["pending"]:
        pass
    sock = server.connect()
    sock.sendall(REQUEST[:50])
    # It has been accepted by then.
    while server.reload()["pending"] == 0:
        pass
    return sock


def test_reload_meanwhile(server):
    """A request that has begun goes on, but not on terms that are not in force."""
    server.start(WEBSOCKET)
    with begin(server) as sock:
        sock.sendall(REQUEST[50:])
        is_upgraded(sock)
        assert server.told()["websocket"]
    with begin(server) as sock:
        server.reload(WEBSOCKET + "websockets_origin https://good.example\n")
        sock.sendall(REQUEST[50:])
        assert ended(sock)
        assert server.logged("begun before the listener changed")
    with begin(server) as sock:
        assert server.reload("protocol chat\n")["open"] == 0
        sock.sendall(REQUEST[50:])
        assert ended(sock)
    server.silent()


def test_client_goes_away(server):
    server.start(WEBSOCKET)
    with server.connect() as sock:
        sock.sendall(REQUEST[:20])
    server.silent()
    assert server.reload()["pending"] == 0


# --- the PROXY protocol -------------------------------------------------------

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def v2(command, family, body):
    return SIGNATURE + struct.pack("!BBH", command, family, len(body)) + body


TCP4 = socket.inet_aton("192.0.2.1") + socket.inet_aton("192.0.2.2") + struct.pack("!HH", 4711, 1)
TCP6 = (socket.inet_pton(socket.AF_INET6, "2001:db8::1") * 2) + struct.pack("!HH", 4711, 1)
MAPPED = (socket.inet_pton(socket.AF_INET6, "::ffff:192.0.2.1") * 2) + struct.pack("!HH", 4711, 1)
TLV = b"\x01\0\4mqtt\x04\0\1\0"


@pytest.mark.parametrize(
    "version,header,peer",
    (
        (1, b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 1\r\n", "192.0.2.1:4711"),
        (1, b"PROXY TCP6 2001:db8::1 ::1 4711 1\r\n", "[2001:db8::1]:4711"),
        (1, b"PROXY UNKNOWN\r\n", ""),
        (2, v2(0x21, 0x11, TCP4), "192.0.2.1:4711"),
        (2, v2(0x21, 0x11, TCP4 + TLV), "192.0.2.1:4711"),
        (2, v2(0x21, 0x21, TCP6 + TLV), "[2001:db8::1]:4711"),
        (2, v2(0x21, 0x21, MAPPED), "192.0.2.1:4711"),
        (2, v2(0x20, 0, b""), ""),
    ),
    ids=("TCP4", "TCP6", "UNKNOWN", "v2 TCP4", "v2 TLV", "v2 TCP6", "v2 mapped", "v2 LOCAL"),
)
def test_proxy(server, version, header, peer):
    server.start(f"enable_proxy_protocol {version}\n")
    with server.connect() as sock:
        sock.sendall(header + b"ahead")
        told = server.told()
        assert (told["peer"], told["websocket"]) == (peer, False)
        assert sock.recv(100) == b"ahead"
        echoes(sock)


def test_proxy_and_websocket(server):
    server.start("enable_proxy_protocol 2\n" + WEBSOCKET)
    with server.connect() as sock:
        sock.sendall(v2(0x21, 0x11, TCP4) + REQUEST)
        is_upgraded(sock)
        assert server.told()["peer"] == "192.0.2.1:4711"


@needs_ktls
def test_proxy_and_tls(server, pki):
    server.start("enable_proxy_protocol 1\n" + pki.agent())
    header = b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 1\r\n"
    with Client(pki).connect(server, ahead=header) as sock:
        echoes(sock)
        told = server.told()
        assert told["peer"] == "192.0.2.1:4711" and told["tls"]


SSL = b"\x20\0\5\1\0\0\0\0"
PROXY_TLS = "enable_proxy_protocol 2\nproxy_protocol_v2_require_tls true\n"


@pytest.mark.parametrize("header, peer", (
    (v2(0x21, 0x11, TCP4 + TLV + SSL), "192.0.2.1:4711"),
    (v2(0x21, 0x21, TCP6 + SSL + TLV), "[2001:db8::1]:4711"),
    (v2(0x21, 0, SSL), ""),
    (v2(0x20, 0, SSL), ""),
), ids=("TCP4", "TCP6", "UNSPEC", "LOCAL"))
def test_proxy_says_tls(server, header, peer):
    server.start(PROXY_TLS)
    for pieces in ([header], [header[at:at + 1] for at in range(len(header))]):
        with server.connect() as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                sock.sendall(piece)
            assert server.told()["peer"] == peer
            echoes(sock)


@pytest.mark.parametrize("header, who", (
    (v2(0x21, 0x11, TCP4), "192.0.2.1:4711"),
    (v2(0x21, 0x21, TCP6 + TLV), "[2001:db8::1]:4711"),
    (v2(0x21, 0x21, MAPPED), "192.0.2.1:4711"),
    (v2(0x21, 0x11, TCP4 + SSL.replace(b"\1", b"\0")), "192.0.2.1:4711"),
    (v2(0x21, 0x11, TCP4 + SSL[:-1]), "192.0.2.1:4711"),
    (v2(0x21, 0, b""), "127.0.0.1:"),
    (v2(0x20, 0, b""), "127.0.0.1:"),
), ids=("TCP4", "TCP6", "mapped", "TLV of no TLS", "cut", "UNSPEC", "LOCAL"))
def test_proxy_says_no_tls(server, header, who):
    server.start(PROXY_TLS)
    with server.connect() as sock:
        sock.sendall(header)
        assert ended(sock)
    assert server.logged(f" {who}")
    assert server.logged("PROXY protocol: the client has no TLS")
    server.silent()
    state = server.reload()
    assert (state["failed"], state["pending"]) == (1, 0)
    # Without the option it would have been let in.
    server.reload("enable_proxy_protocol 2\n")
    with server.connect() as sock:
        sock.sendall(header)
        server.told()
        echoes(sock)


@pytest.mark.parametrize(
    "version,header",
    (
        (1, v2(0x21, 0x11, TCP4)),
        (2, b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 1\r\n"),
        (2, v2(0x21, 0x11, TCP4[:-1])),
        (1, REQUEST),
    ),
    ids=("2 for 1", "1 for 2", "short", "none"),
)
def test_proxy_without_a_header(server, version, header):
    server.start(f"enable_proxy_protocol {version}\n")
    with server.connect() as sock:
        sock.sendall(header)
        assert ended(sock)
    assert server.logged("PROXY protocol: not a header of it")
    server.silent()
