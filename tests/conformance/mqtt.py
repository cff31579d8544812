# SPDX-License-Identifier: GPL-2.0
"""MQTT packets as bytes: encoders that can lie, and one strict decoder.

The encoders write what they are told, right or wrong: a test of a malformed
packet builds it from the same pieces as a test of a good one. The decoder is
for what the broker sends and forgives nothing: reserved bits, lengths and
UTF-8 of every packet that any test receives are checked here.

Everything takes the protocol level (3: MQTT 3.1, 4: MQTT 3.1.1, 5: MQTT 5).
At level 5 a packet carries properties; they are raw bytes here.
"""

from dataclasses import dataclass, field

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, \
    SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = range(1, 16)

NAMES = {3: b"MQIsdp", 4: b"MQTT", 5: b"MQTT"}

# The only flags that a packet of this type may have; PUBLISH has its own.
FIXED_FLAGS = {t: 0x2 if t in (PUBREL, SUBSCRIBE, UNSUBSCRIBE) else 0x0
               for t in range(1, 16) if t != PUBLISH}

# Connect flags
CLEAN, WILL, WILL_QOS1, WILL_QOS2, WILL_RETAIN, PASSWORD, USERNAME = \
    0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80


class ProtocolError(AssertionError):
    """The broker sent something that the specification doesn't allow."""


# ---------------------------------------------------------------- pieces

def u16(value):
    return value.to_bytes(2, "big")


def varint(value):
    """A variable byte integer, as the remaining length is."""
    out = bytearray()
    while True:
        value, byte = divmod(value, 128)
        out.append(byte | (0x80 if value else 0))
        if not value:
            return bytes(out)


def binary(data):
    """Bytes or text with their length in front."""
    if isinstance(data, str):
        data = data.encode()
    return u16(len(data)) + data


def packet(kind, body=b"", flags=None):
    """A packet of any type with any body, and any flags if they are given."""
    if flags is None:
        flags = FIXED_FLAGS[kind]
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


def properties(level, props):
    """The property section, which exists from level 5 on."""
    return varint(len(props)) + props if level >= 5 else b""


# -------------------------------------------------------------- encoders

@dataclass
class Will:
    """What the broker publishes when the connection ends without DISCONNECT."""
    topic: str | bytes
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    props: bytes = b""


def raw_connect(flags, *fields, name=b"MQTT", level=4, keepalive=0, props=b""):
    """A CONNECT whose flags and payload fields needn't have to do with each other."""
    return packet(CONNECT, binary(name) + bytes([level, flags]) + u16(keepalive) +
                  properties(level, props) + b"".join(map(binary, fields)))


def connect(client_id, *, level=4, clean=True, keepalive=0, will=None,
            username=None, password=None, props=b""):
    flags, fields = CLEAN if clean else 0, [client_id]
    if will:
        flags |= WILL | will.qos << 3 | (WILL_RETAIN if will.retain else 0)
        fields += [will.topic, will.payload]
    if username is not None:
        flags |= USERNAME
        fields.append(username)
    if password is not None:
        flags |= PASSWORD
        fields.append(password)
    body = binary(NAMES[level]) + bytes([level, flags]) + u16(keepalive)
    body += properties(level, props) + binary(client_id)
    if will:
        body += properties(level, will.props)
    return packet(CONNECT, body + b"".join(map(binary, fields[1:])))


def publish(topic, payload=b"", qos=0, id=None, *, retain=False, dup=False,
            level=4, props=b""):
    body = binary(topic)
    if id is not None:
        body += u16(id)
    return packet(PUBLISH, body + properties(level, props) + payload,
                  dup << 3 | qos << 1 | retain)


def ack(kind, id, *, flags=None):
    """PUBACK, PUBREC, PUBREL or PUBCOMP; at level 5 this is the short form."""
    return packet(kind, u16(id), flags)


def subscribe(id, *filters, level=4, props=b"", flags=None):
    """SUBSCRIBE; each filter is a pair of filter and its options byte (the QoS)."""
    return packet(SUBSCRIBE, u16(id) + properties(level, props) +
                  b"".join(binary(f) + bytes([o]) for f, o in filters), flags)


def unsubscribe(id, *filters, level=4, props=b"", flags=None):
    return packet(UNSUBSCRIBE, u16(id) + properties(level, props) +
                  b"".join(map(binary, filters)), flags)


def pingreq():
    return packet(PINGREQ)


def disconnect():
    return packet(DISCONNECT)


# --------------------------------------------------------------- decoder

@dataclass
class Connack:
    code: int = 0
    session_present: bool = False
    props: bytes = field(default=b"", repr=False)


@dataclass
class Publish:
    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False
    id: int | None = None
    props: bytes = field(default=b"", repr=False)

    def __repr__(self):
        data = self.payload if len(self.payload) < 40 else f"<{len(self.payload)} bytes>"
        topic = self.topic if len(self.topic) < 80 else f"<{len(self.topic)} chars>"
        return (f"Publish({topic!r}, {data!r}, qos={self.qos}, retain={self.retain}, "
                f"dup={self.dup}, id={self.id})")


@dataclass
class Ack:
    """What PUBACK, PUBREC, PUBREL, PUBCOMP and UNSUBACK have in common."""
    id: int
    code: int = 0
    props: bytes = field(default=b"", repr=False)


class Puback(Ack):
    pass


class Pubrec(Ack):
    pass


class Pubrel(Ack):
    pass


class Pubcomp(Ack):
    pass


@dataclass
class Suback:
    id: int
    codes: list
    props: bytes = field(default=b"", repr=False)


@dataclass
class Unsuback:
    id: int
    codes: list = field(default_factory=list)
    props: bytes = field(default=b"", repr=False)


@dataclass
class Pingresp:
    pass


ACKS = {PUBACK: Puback, PUBREC: Pubrec, PUBREL: Pubrel, PUBCOMP: Pubcomp}


class _Reader:
    """Takes fields off the front of a packet's body."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        if self.at + count > len(self.data):
            raise ProtocolError(f"packet too short: {self.data[:64]!r}")
        self.at += count
        return self.data[self.at - count:self.at]

    def byte(self):
        return self.take(1)[0]

    def u16(self):
        return int.from_bytes(self.take(2), "big")

    def id(self):
        value = self.u16()
        if not value:
            raise ProtocolError("packet identifier 0")
        return value

    def text(self):
        data = self.take(self.u16())
        try:
            text = data.decode()
        except UnicodeDecodeError as err:
            raise ProtocolError(f"ill-formed UTF-8: {data[:64]!r}") from err
        if "\0" in text:
            raise ProtocolError(f"U+0000 in {text!r}")
        return text

    def props(self, level):
        if level < 5:
            return b""
        length = shift = 0
        while True:
            byte = self.byte()
            length |= (byte & 0x7f) << shift
            shift += 7
            if byte < 0x80:
                return self.take(length)

    def rest(self):
        return self.take(len(self.data) - self.at)

    def end(self):
        if self.at != len(self.data):
            raise ProtocolError(f"{len(self.data) - self.at} bytes too many: {self.data[:64]!r}")


def _connack(r, level):
    flags, code = r.byte(), r.byte()
    if flags & ~1:
        raise ProtocolError(f"reserved CONNACK flags: {flags:#x}")
    # A level 5 refusal has properties; an accepted level 4 has none.
    return Connack(code, bool(flags), r.props(level))


def _publish(r, flags, level):
    qos = flags >> 1 & 3
    if qos == 3:
        raise ProtocolError("PUBLISH with QoS 3")
    if flags & 8 and not qos:
        raise ProtocolError("PUBLISH with QoS 0 and DUP")
    topic = r.text()
    if not topic or "+" in topic or "#" in topic:
        raise ProtocolError(f"not a topic name: {topic!r}")
    id = r.id() if qos else None
    props = r.props(level)
    return Publish(topic, r.rest(), qos, bool(flags & 1), bool(flags & 8), id, props)


def _codes(r, allowed):
    codes = list(r.rest())
    bad = [hex(c) for c in codes if c not in allowed]
    if bad:
        raise ProtocolError(f"reserved return codes {bad}")
    return codes


def decode(first, body, level=4):
    """One packet from the broker. Raises ProtocolError if it isn't perfect."""
    kind, flags, r = first >> 4, first & 15, _Reader(bytes(body))
    if kind != PUBLISH and flags != FIXED_FLAGS.get(kind):
        raise ProtocolError(f"packet type {kind} with flags {flags:#x}")
    if kind == CONNACK:
        out = _connack(r, level)
    elif kind == PUBLISH:
        out = _publish(r, flags, level)
    elif kind in ACKS:
        out = ACKS[kind](r.id())
        if level >= 5 and r.at < len(r.data):
            out.code = r.byte()
            out.props = r.props(level) if r.at < len(r.data) else b""
    elif kind == SUBACK:
        id, props = r.id(), r.props(level)
        out = Suback(id, _codes(r, (0, 1, 2, 0x80) if level < 5 else range(256)), props)
    elif kind == UNSUBACK:
        id, props = r.id(), r.props(level)
        out = Unsuback(id, _codes(r, () if level < 5 else range(256)), props)
    elif kind == PINGRESP:
        out = Pingresp()
    else:
        raise ProtocolError(f"a broker doesn't send packet type {kind} at level {level}")
    r.end()
    return out
