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
    TLS_1_3, TLS_TX, UNIX, VSOCK, Adopted, Agent, Multipath, Plain, Secret, Web, agent_listener,
    frame, listen, send_record, start_tls,
)

PATH = "/tmp/kmqtt.sock"
VMADDR_CID_LOCAL = 1
SIZES = (0, 1, 120, 4096, 20000, 70000)
# More than softirq, a gulp, or a record of TLS takes at once.
LARGE = bytes(range(256)) * 4096
# The most bytes of what an agent says of a client.
LONGEST = {"user": 256, "subject": 1024, "cipher": 64}
CLOSE_NOTIFY = [(ALERT, b"\1\0")]


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


def pair(agent):
    """Both ends of a connection, of which the first is the agent's."""
    theirs = socket.create_connection(agent.address)
    return agent.socket.accept()[0], theirs


def works(ours, theirs):
    """Nobody else has read or written anything there."""
    for one, other in ((ours, theirs), (theirs, ours)):
        one.sendall(b"hello")
        same(other.recv(100), b"hello", "what the other one gets")


def see(peer):
    """What the table says of a client that was told its number."""
    rows = [row for row in ctl_json("client") if row["connection"] == peer.number]
    same(len(rows), 1, "rows of a client")
    return rows[0]


@contextlib.contextmanager
def unless_missing():
    """The debug kernel has no vsock, no Multipath TCP and no SCTP."""
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


def test_said_ipv6(loop):
    """Where it is, in IPv6, with an interface if the address needs one."""
    agent = Agent(agent_listener(anonymous=(1, 1)))
    interface = {"ifindex": socket.if_nametoindex("lo")}
    for address, shown, said in (("2001:db8::7", "2001:db8::7", {}),
                                 ("fe80::7", "fe80::7%lo", interface),
                                 ("::ffff:192.0.2.7", "192.0.2.7", {})):
        agent.said = {"addr6": socket.inet_pton(socket.AF_INET6, address), "port": (777, 2), **said}
        row = see(Adopted(loop, agent).wait_connect(shown))
        same((row["address"], row["port"]), (shown, 777), "where it is")
        banned = shown.split("%")[0]
        ctl("ban", "add", "address", banned)
        refused(errno.EACCES, "banned", Adopted, loop, agent)
        ctl("ban", "del", "address", banned)
    agent.close()


def test_longest(loop):
    """What is said may be so long, and not longer; then the socket stays the caller's."""
    agent = Agent(agent_listener())
    ours, theirs = pair(agent)
    for name, most in LONGEST.items():
        refused(errno.ERANGE, "policy", agent.adopt, ours, **{name: b"x" * (most + 1)})
        works(ours, theirs)
    theirs.close()
    ours.close()
    said = {name: name[0] * most for name, most in LONGEST.items()}
    agent.said = {name: text.encode() for name, text in said.items()}
    row = see(Adopted(loop, agent).wait_connect("longest"))
    same({name: row[name] for name in said}, said, "what was said")
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
    with open("/dev/null", "rb") as file:
        refused(errno.ENOTSOCK, "not a socket", agent.adopt, file)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        refused(errno.ESOCKTNOSUPPORT, "not a stream", agent.adopt, sock)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as sock:
        refused(errno.ESOCKTNOSUPPORT, "not a stream", agent.adopt, sock)
    with socket.socket() as sock:
        refused(errno.ENOTCONN, "not connected", agent.adopt, sock)
    refused(errno.ENOTCONN, "not connected", agent.adopt, agent.socket)
    ours, theirs = pair(agent)
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
    addr4, addr6 = socket.inet_aton("192.0.2.7"), socket.inet_pton(socket.AF_INET6, "fe80::7")
    refused(errno.EINVAL, "either an IPv4 or an IPv6", agent.adopt, ours, addr4=addr4, addr6=addr6)
    for said in {"port": (1, 2)}, {"ifindex": 1}:
        refused(errno.EINVAL, "go with an address", agent.adopt, ours, **said)
    for name in LONGEST:
        refused(errno.EINVAL, "not UTF-8", agent.adopt, ours, **{name: b"\xff"})
    refused(errno.ERANGE, "out of range", agent.adopt, ours, tls_version=(TLS_1_2 - 1, 2))
    agent.netlink.command("config", "begin", agent.netlink.ACK)
    refused(errno.EOPNOTSUPP, "configuration", agent.adopt, ours)
    works(ours, theirs)
    # That would be part of a configuration which isn't put in force.
    agent.netlink.sock.close()
    agent.netlink = Generic()
    agent.version = TLS_1_3
    refused(errno.EPROTO, "no TLS", agent.adopt, ours)
    works(ours, theirs)
    agent.version = 0
    agent.adopt(ours)
    refused(errno.EBUSY, "in use", agent.adopt, ours)
    theirs.close()
    ours.close()
    ours, theirs = pair(agent)
    start_tls(ours, TLS_1_2, True, (TLS_TX,))
    refused(errno.EPROTO, "one of its directions", agent.adopt, ours)
    ours, theirs = pair(agent)
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


class Paired(Adopted):
    """One end of a pair of sockets that have no address."""

    def prepare(self, address):
        self.sock.close()
        self.sock, theirs = socket.socketpair()
        with theirs:
            self.number = self.agent.adopt(theirs)


class AdoptedMultipath(Multipath, Adopted):
    pass


def bound(address, *kind):
    """A socket that listens."""
    sock = socket.socket(*kind)
    sock.bind(address)
    sock.listen()
    return sock


def play_transport(loop, transport, server=None, cls=Adopted):
    """A listener of TCP's takes what an agent has accepted elsewhere."""
    agent = Agent(agent_listener(anonymous=(1, 1)), server=server)
    peers = exchange(loop, lambda: cls(loop, agent))
    same([see(peer)["transport"] for peer in peers], [transport] * 2, "transport")
    # The end of either side is seen by the other one.
    peers[0].close()
    wait_for(lambda: stats()["connections"] == 1, "the broker to see the end")
    ctl("client", "kick", "writer")
    peers[1].wait_closed()
    agent.close()


def test_adopted_unix(loop):
    play_transport(loop, "unix", cls=Paired)
    play_transport(loop, "unix", bound(PATH, socket.AF_UNIX))
    os.unlink(PATH)


def test_adopted_vsock(loop):
    with unless_missing():
        server = bound((VMADDR_CID_LOCAL, 1884), socket.AF_VSOCK)
    play_transport(loop, "vsock", server)


def test_adopted_mptcp(loop):
    with unless_missing():
        server = bound(("127.0.0.1", 0), socket.AF_INET, socket.SOCK_STREAM,
                       socket.IPPROTO_MPTCP)
    play_transport(loop, "mptcp", server, AdoptedMultipath)


def test_unknown(_):
    """A stream that nobody has thought of."""
    with unless_missing():
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP)
    agent = Agent(agent_listener())
    with sock:
        refused(errno.EPROTONOSUPPORT, "not TCP, MPTCP, unix or vsock", agent.adopt, sock)
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
    same(reader.records, CLOSE_NOTIFY, "records that aren't data")
    # So does a client.
    send_record(writer.sock, ALERT, b"\1\0")
    writer.wait_closed()
    agent.close()


def test_tls_records(loop):
    """Records that aren't data end the connection, in order, and only that."""
    agent = Agent(agent_listener(anonymous=(1, 1)), version=TLS_1_3)
    other = client(loop, "other", "wills/#")
    for kind, data in ((ALERT, b"\2\x28"), (ALERT, b"\1"), (HANDSHAKE, b"\x18\0\0\1\0"),
                       (HANDSHAKE, bytes(1000)), (99, b"x")):
        peer = Secret(loop, agent).wait_connect("victim", will=mqtt.Will("wills/x", b"gone"))
        send_record(peer.sock, kind, data)
        peer.wait_closed()
        same(peer.records, CLOSE_NOTIFY, "records that aren't data")
        told = f"connection {peer.number}: the client wants other TLS keys"
        same(told in run("dmesg").stdout, kind == HANDSHAKE, "is it told in the log?")
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
    """Packets and frames have nothing to do with each other in what a client sends."""
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
        ("a unix socket from an agent", test_adopted_unix),
        ("a vsock socket from an agent", test_adopted_vsock),
        ("a socket of Multipath TCP from an agent", test_adopted_mptcp),
        ("a socket of an unknown kind", test_unknown),
        ("what an agent says of a client", test_said),
        ("what an agent says of where it is", test_said_ipv6),
        ("the longest that it may say", test_longest),
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
