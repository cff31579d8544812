# SPDX-License-Identifier: GPL-2.0
"""A blocking MQTT client that does nothing by itself.

It sends what a test tells it to, acknowledges only when asked, and reads one
packet at a time. Nothing here sleeps: time-outs only bound how long a failing
test takes. That something does NOT arrive is shown by a barrier (see
Client.barrier), never by waiting.

At level 5 it also sees to it that the broker keeps to what the client's CONNECT
has asked for: maximum packet size, topic aliases, problem information. Topic
aliases are resolved: a test sees topic names only.
"""

import contextlib
import itertools
import os
import socket
import struct
import time

import mqtt

SCALE = float(os.environ.get("KMQTT_TIMEOUT_SCALE") or 1)
TIMEOUT = 15 * SCALE

# Telling a client why it is disconnected is a SHOULD, or a MAY. With this set, brokers
# that just close pass, too: it is for trying the tests on others.
LAX = bool(os.environ.get("KMQTT_LAX"))

_barriers = itertools.count(1)


@contextlib.contextmanager
def case(name):
    """Name the case of a loop that a failed assertion belongs to."""
    try:
        yield
    except AssertionError as err:
        err.args = (f"case {name}: {err}",)
        raise


class Closed(AssertionError):
    """There is no connection, or no longer, where a packet was expected."""


class Timeout(AssertionError):
    """The broker was silent for too long."""


class Client:
    """One network connection, and at most one MQTT session on it."""

    def __init__(self, host, port, *, level=4, rcvbuf=None):
        self.level = level
        self.id = None
        self.closed = False
        self.inbox = []             # packets that came while another was waited for
        self.retained = set()       # topics that may hold a retained message by us
        self.sessions = set()       # client ids that may have a stored session by us
        self._buf = bytearray()
        self._barrier = None
        self._ids = itertools.count(1000)
        self.connack = None
        self.asked = {}             # the properties of our CONNECT
        self.aliases = {}           # topic alias -> topic name, as the broker has set them
        family, kind, proto, _, addr = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM)[0]
        self.sock = socket.socket(family, kind, proto)
        if rcvbuf:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, rcvbuf)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sock.settimeout(TIMEOUT)
        try:
            self.sock.connect(addr)
        except OSError as err:
            self.sock.close()
            raise Closed(f"no connection to {host} port {port}: {err}") from None

    # ------------------------------------------------------------ bytes

    def send(self, *packets):
        """Send bytes in one piece. That the broker has closed shows on receiving."""
        try:
            self.sock.settimeout(TIMEOUT)
            self.sock.sendall(b"".join(packets))
        except TimeoutError:
            raise Timeout("the broker doesn't read") from None
        except (BrokenPipeError, ConnectionResetError):
            pass

    def _fill(self, deadline):
        left = deadline - time.monotonic()
        try:
            if left <= 0:
                raise TimeoutError
            self.sock.settimeout(left)
            data = self.sock.recv(1 << 18)
        except TimeoutError:
            raise Timeout(f"nothing came within {TIMEOUT:.0f} s") from None
        except ConnectionResetError:
            self._buf.clear()
            raise Closed("connection reset by the broker") from None
        if not data:
            if self._buf:
                raise mqtt.ProtocolError(f"closed within a packet: {bytes(self._buf[:64])!r}")
            raise Closed("connection closed by the broker")
        self._buf += data

    def _frame(self):
        """The first whole packet in the buffer: its first byte and its body."""
        length = 0
        for i, byte in enumerate(self._buf[1:5]):
            length |= (byte & 0x7f) << 7 * i
            if byte < 0x80:
                end = 2 + i + length
                if len(self._buf) < end:
                    return None
                first, body = self._buf[0], self._buf[2 + i:end]
                del self._buf[:end]
                if end > self.asked.get("max_packet_size", end):
                    raise mqtt.ProtocolError(f"a packet of {end} bytes")
                if self.level >= 5 and i and not byte:
                    raise mqtt.ProtocolError("a remaining length longer than needed")
                return first, body
        if len(self._buf) >= 5:
            raise mqtt.ProtocolError("remaining length of more than four bytes")
        return None

    def _read(self):
        """The next packet off the socket."""
        deadline = time.monotonic() + TIMEOUT
        while (frame := self._frame()) is None:
            self._fill(deadline)
        got = mqtt.decode(*frame, self.level)
        if self.level >= 5:
            self._check(got)
        return got

    def _check(self, got):
        """What the broker may send depends on our CONNECT."""
        kind = got.__class__
        if kind is mqtt.Publish and got.alias:
            if got.alias > self.asked.get("topic_alias_max", 0):
                raise mqtt.ProtocolError(f"topic alias {got.alias} wasn't offered")
            if got.topic:
                self.aliases[got.alias] = got.topic
            elif got.alias not in self.aliases:
                raise mqtt.ProtocolError(f"topic alias {got.alias} wasn't set")
            got.topic = self.aliases[got.alias]
        if kind is mqtt.Connack:
            if "response_info" in got.props and not self.asked.get("request_response"):
                raise mqtt.ProtocolError("response information that wasn't asked for")
            if not got.code and got.props.get("auth_method") != self.asked.get("auth_method"):
                raise mqtt.ProtocolError(f"another authentication method in {got}")
        if kind is mqtt.Auth and got.props["auth_method"] != self.asked.get("auth_method"):
            raise mqtt.ProtocolError(f"another authentication method in {got}")
        if not self.asked.get("request_problem", 1) and \
                kind not in (mqtt.Publish, mqtt.Connack, mqtt.Disconnect, mqtt.Pingresp) and \
                {"reason_string", "user"} & set(got.props):
            raise mqtt.ProtocolError(f"problem information that isn't wanted: {got.props}")

    def close(self):
        """Close without DISCONNECT, in an orderly way (FIN)."""
        self.closed = True
        self.sock.close()

    def reset(self):
        """Close without DISCONNECT, as when a network fails (RST)."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    # ---------------------------------------------------------- packets

    def recv(self):
        """The next packet, in the order of arrival."""
        return self.inbox.pop(0) if self.inbox else self._read()

    def wait(self, wanted):
        """Read up to a packet equal to `wanted`, or of that class; the others stay."""
        while True:
            got = self._read()
            if got == wanted or got.__class__ is wanted:
                return got
            self.inbox.append(got)

    def messages(self, count):
        """Payloads of all messages so far, but of `count` at least; other packets stay."""
        while sum(isinstance(p, mqtt.Publish) for p in self.inbox) < count:
            self.inbox.append(self._read())
        return [p.payload for p in self.inbox if isinstance(p, mqtt.Publish)]

    def expect(self, *wanted):
        """The next packets must be these (a packet, or only its class), in this order."""
        got = None
        for want in wanted:
            got = self.recv()
            if got != want and got.__class__ is not want:
                raise AssertionError(f"expected {want}, got {got}")
        return got

    def expect_close(self, *, ping=False):
        """The broker must close the connection and send nothing before.

        A PINGREQ shows at once if it goes on as if nothing had happened; it
        mustn't be used where it could be taken for the rest of a packet.
        """
        if ping:
            self.send(mqtt.pingreq())
        try:
            got = self.recv()
        except Closed:
            self.close()
            return
        raise AssertionError(f"expected the connection to be closed, got {got}")

    def expect_disconnect(self, *codes, ping=False):
        """The broker must tell the reason, one of these, and close (level 5)."""
        if ping:
            self.send(mqtt.pingreq())
        return self._expect_last(mqtt.Disconnect, codes)

    def expect_refusal(self, *codes):
        """The broker must refuse the CONNECT for this reason, and close (level 5)."""
        return self._expect_last(mqtt.Connack, codes)

    def _expect_last(self, kind, codes):
        try:
            got = self.expect(kind)
        except Closed:
            if LAX:
                return None
            raise
        assert got.code in codes, \
            f"expected reason code {' or '.join(map(hex, codes))}, got {got.code:#x}"
        self.expect_close()
        return got

    def recv_bytes(self, count):
        """The next bytes on the connection, undecoded."""
        deadline = time.monotonic() + TIMEOUT
        while len(self._buf) < count:
            self._fill(deadline)
        got = bytes(self._buf[:count])
        del self._buf[:count]
        return got

    def expect_bytes(self, data):
        """The next bytes on the connection must be these."""
        got = self.recv_bytes(len(data))
        assert got == data, f"expected {data.hex(' ')}, got {got.hex(' ')}"

    # --------------------------------------------------------- dialogue

    def connect(self, client_id, *, code=0, session_present=False, **args):
        """CONNECT, and the CONNACK that is expected."""
        self.send_connect(client_id, **args)
        got = self.expect(mqtt.Connack)
        assert got.code == code, f"expected CONNACK return code {code}, got {got}"
        self.connack = got
        if session_present is not None:
            assert got.session_present == session_present, \
                f"expected session present {session_present}, got {got}"
        return self

    def send_connect(self, client_id, *, clean=True, will=None, expiry=None, props=b"", **args):
        self.id = client_id
        if expiry is not None:
            props = {"session_expiry": expiry, **(props or {})}
        if expiry if self.level >= 5 else not clean:
            self.sessions.add(client_id)
        if will and will.retain:
            self.retained.add(will.topic)
        self.asked = props or {}
        self.send(mqtt.connect(client_id, level=self.level, clean=clean, will=will,
                               props=props, **args))

    def disconnect(self, code=None, props=None):
        """DISCONNECT; what the broker still sends is thrown away."""
        self.send(mqtt.disconnect(code, props))
        try:
            while True:
                self._read()
        except Closed:
            self.close()

    def next_id(self):
        return next(self._ids)

    def ping(self):
        """Everything sent before has been handled by the broker when this returns."""
        self.send(mqtt.pingreq())
        self.wait(mqtt.Pingresp())

    def _answer(self, kind, id):
        """The answer of that class to the packet with this identifier, if it is a good one."""
        got = self.wait(kind)
        assert got.id == id and got.code < 0x80, f"expected {kind.__name__} for {id}, got {got}"
        return got

    def publish(self, topic, payload=b"", qos=0, *, retain=False, dup=False, id=None, props=b""):
        """PUBLISH and go through the whole exchange: the broker has the message."""
        got = None
        if retain:
            self.retained.add(topic)
        if qos and id is None:
            id = self.next_id()
        self.send(mqtt.publish(topic, payload, qos, id, retain=retain, dup=dup,
                               level=self.level, props=props))
        if qos == 0:
            self.ping()
        elif qos == 1:
            got = self._answer(mqtt.Puback, id)
        else:
            got = self._answer(mqtt.Pubrec, id)
            self.send(mqtt.ack(mqtt.PUBREL, id))
            self.wait(mqtt.Pubcomp(id))
        return got

    def subscribe(self, *filters, qos=0, props=b""):
        """SUBSCRIBE to filters, or (filter, QoS) pairs, all of which must be granted."""
        pairs = [f if isinstance(f, tuple) else (f, qos) for f in filters]
        id = self.next_id()
        self.send(mqtt.subscribe(id, *pairs, level=self.level, props=props))
        got = self.wait(mqtt.Suback)
        want = mqtt.Suback(id, [options & 3 for _, options in pairs])
        assert got == want, f"expected {want}, got {got}"
        return self

    def unsubscribe(self, *filters, props=b""):
        id = self.next_id()
        self.send(mqtt.unsubscribe(id, *filters, level=self.level, props=props))
        want = mqtt.Unsuback(id, [0] * len(filters) if self.level >= 5 else [])
        self.wait(want)

    def acknowledge(self, message):
        """Go through the subscriber's side of the exchange for a received message."""
        if message.qos == 1:
            self.send(mqtt.ack(mqtt.PUBACK, message.id))
        elif message.qos == 2:
            self.send(mqtt.ack(mqtt.PUBREC, message.id))
            self.wait(mqtt.Pubrel(message.id))
            self.send(mqtt.ack(mqtt.PUBCOMP, message.id))

    def receive(self, topic=None, payload=None, qos=None, *, retain=None, dup=False, ack=True,
                props=None):
        """The next packet must be a message with these properties; acknowledge it.

        At level 5 it has no properties but those that are given: ... if it doesn't matter.
        """
        got = self.expect(mqtt.Publish)
        for name, want in (("topic", topic), ("payload", payload), ("qos", qos),
                           ("retain", retain), ("dup", dup)):
            if want is not None and getattr(got, name) != want:
                raise AssertionError(f"expected {name} {want!r:.80}, got {got}")
        if props is not ... and got.props != (props or {}):
            raise AssertionError(f"expected properties {props}, got {got.props}")
        if ack:
            self.acknowledge(got)
        return got

    def barrier(self):
        """Everything that the broker had for this client until now, as a list.

        The client sends itself a message through the broker. What was queued
        for it earlier arrives earlier; the PINGREQ behind it covers what isn't
        a message. The subscription for that lives as long as the session.
        """
        first = self._barrier is None
        if first:
            self._barrier = f"barrier/{os.getpid()}/{next(_barriers)}"
            id = self.next_id()
            self.send(mqtt.subscribe(id, (self._barrier, 0), level=self.level))
            self.wait(mqtt.Suback(id, [0]))
        mark = mqtt.Publish(self._barrier, os.urandom(8))
        self.send(mqtt.publish(mark.topic, mark.payload, level=self.level))
        self.wait(mark)
        self.ping()
        got = [p for p in self.inbox if getattr(p, "topic", None) != self._barrier]
        self.inbox.clear()
        return got

    def expect_nothing(self):
        """There is no packet for this client that hasn't been looked at."""
        got = self.barrier()
        assert not got, f"expected nothing more, got {got}"
