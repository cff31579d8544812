# SPDX-License-Identifier: GPL-2.0
"""Listeners that aren't TCP's, and connections that an agent hands over: plain ones, with the
kernel's TLS, and in WebSocket's frames."""

import contextlib
import errno
import os
import socket

from selftest import (
    Child, Generic, Loop, Peer, Skip, check, client, ctl, ctl_json, finish, mqtt, netns, point,
    run, run_with_loops, same, settings, stats, unload, wait_for,
)
from transports import (
    ALERT, BINARY, CLOSE, CONTINUATION, HANDSHAKE, MPTCP, PING, PONG, PORTS, TEXT, TLS_1_2,
    TLS_1_3, TLS_TX, UNIX, VSOCK, Adopted, Agent, Plain, Secret, Web, agent_listener, frame,
    listen, send_record, start_tls,
)

PATH = "/tmp/kmqtt.sock"
VMADDR_CID_LOCAL = 1
SIZES = (0, 1, 120, 4096, 20000, 70000)
# More than softirq, a gulp, or a record of TLS takes at once.
LARGE = bytes(range(256)) * 4096


def refused(code, word, function, *args, **kw):
    try:
        function(*args, **kw)
    except OSError as err:
        same(errno.errorcode[err.errno], errno.errorcode[code], err.strerror)
        check(word in err.strerror, f"no {word!r} in {err.strerror!r}")
    else:
        raise AssertionError(f"{word}: it was not refused")


def exchange(loop, make):
    """Messages of all sizes and QoS go both ways."""
    reader, writer = make(), make()
    reader.wait_connect("reader")
    writer.wait_connect("writer")
    reader.wait_subscribe("t/#", qos=2)
    for qos in (0, 1, 2):
        for size in SIZES:
            writer.wait_publish(f"t/{qos}", bytes(size), qos=qos)
    writer.wait_publish("t/large", LARGE, qos=1)
    for number in range(300):
        writer.publish(f"t/burst{number}", b"x" * number)
    loop.until(lambda: len(reader.messages) == 3 * len(SIZES) + 301, "all messages")
    same(reader.messages[3 * len(SIZES)][1], LARGE, "payload")
    same([topic for topic, *_ in reader.messages[3 * len(SIZES) + 1:]],
         [f"t/burst{number}" for number in range(300)], "order")
    return reader, writer


def slow(loop, make):
    """Who doesn't read gets all of it later."""
    reader, writer = make(), make()
    reader.wait_connect("reader")
    writer.wait_connect("writer")
    reader.wait_subscribe("slow", qos=1)
    reader.pause()
    # Nothing but the socket tells the broker that there is room again.
    writer.publish("slow", LARGE * 4)
    writer.wait_ping()
    reader.pause(False)
    loop.until(lambda: len(reader.messages) == 1, "a large message")
    reader.messages.clear()
    reader.pause()
    with settings(max_queued_messages=2000, max_inflight=1000):
        for _ in range(600):
            writer.publish("slow", bytes(5000), qos=1)
        loop.until(lambda: len(writer.acked) == 600, "acknowledgments")
        reader.pause(False)
        loop.until(lambda: len(reader.messages) == 600, "what was held back")
    return reader, writer


def see(peer):
    """What the table says of a client that was told its number."""
    rows = [row for row in ctl_json("client") if row["connection"] == peer.number]
    same(len(rows), 1, "rows of a client")
    return rows[0]


@contextlib.contextmanager
def unless_missing():
    """The debug kernel has no vsock and no Multipath TCP."""
    try:
        yield
    except OSError as err:
        if err.errno in (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT):
            raise Skip("not in this kernel") from err
        raise


# ---------------------------------------------------------------- listeners

def test_unix(loop):
    netlink = Generic()
    id = listen(netlink, transport=(UNIX, 1), path=PATH.encode())
    exchange(loop, lambda: Peer(loop, PATH))
    slow(loop, lambda: Peer(loop, PATH))
    refused(errno.EADDRINUSE, "in use", listen, netlink, transport=(UNIX, 1), path=PATH.encode())
    netlink.command("listener", "del", netlink.ACK, id=id)
    os.unlink(PATH)
    refused(errno.EINVAL, "path", listen, netlink, transport=(UNIX, 1), path=b"\0abstract")
    refused(errno.EINVAL, "path", listen, netlink, transport=(UNIX, 1), path=b"\0")
    refused(errno.EINVAL, "transport", listen, netlink, transport=(UNIX, 1), path=b"/x",
            port=(1, 2))
    refused(errno.ENOENT, "bind", listen, netlink, transport=(UNIX, 1), path=b"/nowhere/x")
    # More of them than may come from one address.
    id = listen(netlink, transport=(UNIX, 1), path=PATH.encode())
    with settings(max_connections_per_source=2):
        peers = [Peer(loop, PATH).wait_connect(f"local{number}") for number in range(5)]
    # The end of either side is seen by the other one.
    peers[0].close()
    wait_for(lambda: stats()["connections"] == len(loop.peers), "the broker to see the end")
    ctl("client", "kick", "local1")
    peers[1].wait_closed()
    netlink.command("listener", "del", netlink.ACK, id=id)
    os.unlink(PATH)


def test_vsock(loop):
    netlink = Generic()
    with unless_missing():
        id = listen(netlink, transport=(VSOCK, 1), vsock_port=1883, anonymous=(1, 1))
    address = (VMADDR_CID_LOCAL, 1883)
    exchange(loop, lambda: Peer(loop, address))
    slow(loop, lambda: Peer(loop, address))
    netlink.command("listener", "del", netlink.ACK, id=id)


class Multipath(Peer):
    def prepare(self, address):
        self.sock.close()
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_MPTCP)


def test_mptcp(loop):
    netlink = Generic()
    port = next(PORTS)
    with unless_missing():
        id = listen(netlink, transport=(MPTCP, 1), port=(port, 2), anonymous=(1, 1))
    address = ("127.0.0.1", port)
    exchange(loop, lambda: Multipath(loop, address))
    slow(loop, lambda: Multipath(loop, address))
    # Who knows nothing of it is served as well.
    exchange(loop, lambda: Peer(loop, address))
    netlink.command("listener", "del", netlink.ACK, id=id)


# -------------------------------------------------------------------- agents

def test_plain(loop):
    agent = Agent(agent_listener(anonymous=(1, 1)))
    reader, _ = exchange(loop, lambda: Adopted(loop, agent))
    row = see(reader)
    same(row["listener"], agent.listener, "listener")
    check("tls_version" not in row, f"{row}")
    slow(loop, lambda: Adopted(loop, agent))
    agent.close()


def test_said(loop):
    """What the agent says of a client."""
    agent = Agent(agent_listener(anonymous=(1, 1)), addr4=socket.inet_aton("192.0.2.7"),
                  port=(777, 2), subject=b"CN=device", cipher=b"TLS_X")
    peer = Adopted(loop, agent).wait_connect("said")
    row = see(peer)
    check("192.0.2.7" in row["address"], f"{row}")
    same((row["subject"], row["cipher"]), ("CN=device", "TLS_X"), "what was said")
    same(row["port"] if "port" in row else int(row["address"].rsplit(":", 1)[1]), 777, "port")
    ctl("ban", "add", "address", "192.0.2.7")
    refused(errno.EACCES, "banned", Adopted, loop, agent)
    ctl("ban", "del", "address", "192.0.2.7")
    agent.close()


def test_identity(loop):
    """The client is who the handshake says, not who it says itself."""
    agent = Agent(agent_listener(), user=b"proven")
    peer = Adopted(loop, agent).wait_connect("c", username="another", password=b"x")
    same(see(peer)["user"], "proven", "user")
    Adopted(loop, agent).wait_connect("d")
    # It has to have a name and has none.
    agent.said["user"] = b"\0"
    Adopted(loop, agent).wait_connect("e", code=4, username="another", password=b"x")
    agent.said["user"] = b"\xff"
    refused(errno.EINVAL, "UTF-8", Adopted, loop, agent)
    # Without a name it is as with any listener.
    del agent.said["user"]
    Adopted(loop, agent).wait_connect("f", code=5)
    agent.close()


def test_refused(loop):
    """What can't be taken stays the caller's, as it was."""
    agent = Agent(agent_listener(anonymous=(1, 1)))

    def works(ours, theirs):
        for one, other in ((ours, theirs), (theirs, ours)):
            one.sendall(b"hello")
            same(other.recv(100), b"hello", "what the other one gets")

    def pair():
        theirs = socket.create_connection(agent.address)
        return agent.socket.accept()[0], theirs

    with open("/dev/null", "rb") as file:
        refused(errno.ENOTSOCK, "not a socket", agent.adopt, file)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        refused(errno.ESOCKTNOSUPPORT, "not a stream", agent.adopt, sock)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        refused(errno.ESOCKTNOSUPPORT, "not a stream", agent.adopt, sock)
    with socket.socket() as sock:
        refused(errno.ENOTCONN, "not connected", agent.adopt, sock)
    refused(errno.ENOTCONN, "not connected", agent.adopt, agent.socket)
    ours, theirs = pair()
    refused(errno.ENOENT, "no such listener", agent.adopt, ours, listener=9999)
    refused(errno.EOPNOTSUPP, "agent", agent.adopt, ours, listener=1)
    port = next(PORTS)
    listen(agent.netlink, port=(port, 2), agent=b"certfile /x")
    refused(errno.EADDRINUSE, "in use", listen, agent.netlink, port=(port, 2), agent=b"certfile /y")
    refused(errno.EADDRINUSE, "in use", listen, agent.netlink, port=(port, 2))
    works(ours, theirs)
    with settings(max_connections=0):
        refused(errno.EUSERS, "too many", agent.adopt, ours)
    with settings(max_connections_per_source=1):
        client(loop, "first")
        refused(errno.EDQUOT, "from this address", agent.adopt, ours)
    works(ours, theirs)
    agent.version = TLS_1_3
    refused(errno.EPROTO, "no TLS", agent.adopt, ours)
    works(ours, theirs)
    agent.version = 0
    agent.adopt(ours)
    refused(errno.EBUSY, "in use", agent.adopt, ours)
    theirs.close()
    ours.close()
    ours, theirs = pair()
    start_tls(ours, TLS_1_2, True, (TLS_TX,))
    refused(errno.EPROTO, "one of its directions", agent.adopt, ours)
    ours, theirs = pair()
    run("ip", "netns", "add", "other")
    run("ip", "-n", "other", "link", "set", "lo", "up")
    # The module has a broker there, too.
    with netns("other"):
        there = Agent(agent_listener(anonymous=(1, 1)))
        refused(errno.EXDEV, "namespace", there.adopt, ours)
        there.close()
    run("ip", "netns", "del", "other")
    works(ours, theirs)
    agent.close()


def test_rate(loop):
    agent = Agent(agent_listener(anonymous=(1, 1), connect_rate=1))
    for _ in range(10):
        try:
            Adopted(loop, agent)
        except BlockingIOError as err:
            check("short time" in err.strerror, err.strerror)
            break
    else:
        raise AssertionError("the rate of connections isn't kept")
    agent.close()


def test_death(loop):
    """Clients don't need their agent any more."""
    id = agent_listener(anonymous=(1, 1))
    server = socket.create_server(("127.0.0.1", 0))

    def agent():
        helper = Agent(id, version=TLS_1_3)
        for _ in range(2):
            sock = server.accept()[0]
            start_tls(sock, TLS_1_3, server=True)
            helper.adopt(sock)
        os.kill(os.getpid(), 9)

    class Orphan(Secret):
        def prepare(self, address):
            self.sock.connect(address)
            start_tls(self.sock, TLS_1_3, server=False)

    class Nobody:
        address = server.getsockname()

    child = Child(agent)
    make = iter([Orphan(loop, Nobody), Orphan(loop, Nobody)])
    same(child.wait(), -9, "status of the agent")
    exchange(loop, lambda: next(make))
    server.close()


# ----------------------------------------------------------------------- TLS

def test_tls(loop, version):
    agent = Agent(agent_listener(anonymous=(1, 1)), version=version)
    reader, _ = exchange(loop, lambda: Secret(loop, agent))
    same(see(reader)["tls_version"], {TLS_1_2: "1.2", TLS_1_3: "1.3"}[version], "version")
    reader, writer = slow(loop, lambda: Secret(loop, agent))
    # The broker says that nothing follows, so that nobody else could end it unseen.
    ctl("client", "kick", "reader")
    reader.wait_closed()
    same(reader.records, [(ALERT, b"\1\0")], "records that aren't data")
    # So does a client.
    send_record(writer.sock, ALERT, b"\1\0")
    writer.wait_closed()
    agent.close()


def test_tls_records(loop):
    """Records that aren't data end the connection, and only that."""
    agent = Agent(agent_listener(anonymous=(1, 1)), version=TLS_1_3)
    other = client(loop, "other", "wills/#")
    for kind, data in ((ALERT, b"\2\x28"), (ALERT, b"\1"), (HANDSHAKE, b"\x18\0\0\1\0"),
                       (HANDSHAKE, bytes(1000)), (99, b"x")):
        peer = Secret(loop, agent).wait_connect("victim", will=mqtt.Will("wills/x", b"gone"))
        send_record(peer.sock, kind, data)
        peer.wait_closed()
    loop.until(lambda: len(other.messages) == 5, "wills")
    # Plain text where a record should be.
    peer = Plain(loop, agent)
    peer.send(bytes(100))
    peer.wait_closed()
    other.wait_ping()
    agent.close()


# ----------------------------------------------------------------- WebSocket

def test_web(loop, version):
    agent = Agent(agent_listener(anonymous=(1, 1)), version=version, websocket=b"")
    reader, _ = exchange(loop, lambda: Web(loop, agent))
    same(see(reader)["websocket"], True, "websocket")
    slow(loop, lambda: Web(loop, agent))
    agent.close()


def test_web_pieces(loop):
    """Packets and frames have nothing to do with each other."""
    agent = Agent(agent_listener(anonymous=(1, 1)), websocket=b"")
    reader = Web(loop, agent).wait_connect("reader")
    reader.wait_subscribe("t")
    writer = Web(loop, agent)
    writer.frame_size = 1
    writer.wait_connect("writer")
    writer.wait_publish("t", b"in many frames", qos=1)
    packets = b"".join(mqtt.publish("t", bytes([number]) * 50, 0) for number in range(20))
    raw = frame(BINARY, packets[:10], fin=False) + frame(PING, b"between")
    raw += frame(CONTINUATION, packets[10:500], fin=False) + frame(PONG, b"")
    raw += frame(CONTINUATION, packets[500:])
    for at in range(0, len(raw), 7):
        writer.send_raw(raw[at:at + 7])
        loop.turn(0)
    loop.until(lambda: len(reader.messages) == 21, "messages")
    loop.until(lambda: writer.control == [(PONG, b"between")], "a pong")
    writer.send_raw(frame(PING, b"x" * 125))
    loop.until(lambda: writer.control[1:] == [(PONG, b"x" * 125)], "another one")
    agent.close()


def test_web_wrong(loop):
    """What isn't allowed is answered with a close frame that says why."""
    agent = Agent(agent_listener(anonymous=(1, 1)), websocket=b"")
    for text, raw, code in (
            ("text", frame(TEXT, b"hello"), 1003),
            ("no mask", frame(BINARY, b"hello", mask=b""), 1002),
            ("reserved bit", frame(BINARY | 0x40, b"hello"), 1002),
            ("reserved opcode", frame(3, b"hello"), 1002),
            ("a ping in pieces", frame(PING, b"", fin=False), 1002),
            ("a long ping", frame(PING, bytes(126)), 1002),
            ("nothing to go on with", frame(CONTINUATION, b"x"), 1002),
            ("a length without end", frame(BINARY, b"", length=1 << 63), 1002),
            ("good-bye", frame(CLOSE, (1000).to_bytes(2, "big")), 1000),
            ("half a code", frame(CLOSE, b"\3"), 1002)):
        peer = Web(loop, agent).wait_connect("client")
        peer.send_raw(raw)
        peer.wait_closed()
        same([(opcode, int.from_bytes(payload[:2], "big")) for opcode, payload in peer.control],
             [(CLOSE, code)], text)
    # Who says good-bye has the last word.
    peer = Web(loop, agent).wait_connect("client")
    peer.disconnect()
    loop.until(lambda: peer.control, "a close frame")
    peer.send_raw(frame(CLOSE, (1000).to_bytes(2, "big")))
    peer.wait_closed()
    same(peer.closed, "closed by the broker", "end")
    # Who is disconnected is told so in both languages.
    peer = Web(loop, agent).wait_connect("client")
    ctl("client", "kick", "client")
    peer.wait_closed()
    same(peer.control, [(CLOSE, (1000).to_bytes(2, "big"))], "close frames")
    agent.close()


# ------------------------------------------------------------------- the end

def test_unload():
    """All kinds of connections end with the module."""
    netlink = Generic()
    listen(netlink, transport=(UNIX, 1), path=PATH.encode())
    loop = Loop()
    peers = [client(loop, "unix", peer_args={"address": PATH})]
    for number, (cls, said) in enumerate(((Adopted, {}), (Secret, {"version": TLS_1_3}),
                                          (Web, {"websocket": b""}))):
        agent = Agent(agent_listener(anonymous=(1, 1)), **said)
        peers.append(cls(loop, agent).wait_connect(f"c{number}"))
        agent.close()
    netlink.sock.close()
    unload()
    for peer in peers:
        peer.wait_closed()
    loop.close()
    os.unlink(PATH)


def main():
    tests = (
        ("a unix listener", test_unix),
        ("a vsock listener", test_vsock),
        ("a listener of Multipath TCP", test_mptcp),
        ("a connection from an agent", test_plain),
        ("what an agent says of a client", test_said),
        ("who a client has proven to be", test_identity),
        ("what can't be taken over", test_refused),
        ("rate of connections", test_rate),
        ("an agent dies", test_death),
        ("TLS 1.2", lambda loop: test_tls(loop, TLS_1_2)),
        ("TLS 1.3", lambda loop: test_tls(loop, TLS_1_3)),
        ("records of TLS that aren't data", test_tls_records),
        ("WebSocket", lambda loop: test_web(loop, 0)),
        ("WebSocket over TLS", lambda loop: test_web(loop, TLS_1_3)),
        ("frames of all kinds", test_web_pieces),
        ("frames that aren't allowed", test_web_wrong),
    )
    run_with_loops(tests)
    with point("all kinds of connections end with the module"):
        test_unload()
    finish()


main()
