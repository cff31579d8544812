# SPDX-License-Identifier: GPL-2.0
"""MQTT packets as bytes: encoders that can lie, and one strict decoder.

The encoders write what they are told, right or wrong: a test of a malformed
packet builds it from the same pieces as a test of a good one. The decoder is
for what the broker sends and forgives nothing: reserved bits, lengths and
UTF-8 of every packet that any test receives are checked here.

Everything takes the protocol level (3: MQTT 3.1, 4: MQTT 3.1.1, 5: MQTT 5).
At level 5 a packet carries properties: a dictionary (see prop.py), or bytes.
"""

from dataclasses import dataclass, field

import prop
from pieces import (AUTH, CONNACK, CONNECT, DISCONNECT, PINGREQ, PINGRESP, PUBACK, PUBCOMP,
                    PUBLISH, PUBREC, PUBREL, SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE,
                    ProtocolError, Reader, binary, u16, varint)

NAMES = {3: b"MQIsdp", 4: b"MQTT", 5: b"MQTT"}

# The only flags that a packet of this type may have; PUBLISH has its own.
FIXED_FLAGS = {t: 0x2 if t in (PUBREL, SUBSCRIBE, UNSUBSCRIBE) else 0x0
               for t in range(1, 16) if t != PUBLISH}

# Connect flags
CLEAN, WILL, WILL_QOS1, WILL_QOS2, WILL_RETAIN, PASSWORD, USERNAME = \
    0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80


# ---------------------------------------------------------------- pieces

def packet(kind, body=b"", flags=None):
    """A packet of any type with any body, and any flags if they are given."""
    if flags is None:
        flags = FIXED_FLAGS[kind]
    return bytes([kind << 4 | flags]) + varint(len(body)) + body


def properties(level, props):
    """The property section, which exists from level 5 on."""
    if level < 5:
        return b""
    props = prop.encode(props)
    return varint(len(props)) + props


def options(qos=0, *, no_local=False, as_published=False, handling=0):
    """The subscription options of level 5."""
    return qos | no_local << 2 | as_published << 3 | handling << 4


# -------------------------------------------------------------- encoders

class Raw(bytes):
    """A field of raw_connect() that is written as it is, without its length."""


@dataclass
class Will:
    """What the broker publishes when the connection ends without DISCONNECT."""
    topic: str | bytes
    payload: bytes = b""
    qos: int = 0
    retain: bool = False
    props: dict | bytes = b""


def raw_connect(flags, *fields, name=b"MQTT", level=4, keepalive=0, props=b""):
    """A CONNECT whose flags and payload fields needn't have to do with each other."""
    return packet(CONNECT, binary(name) + bytes([level, flags]) + u16(keepalive) +
                  properties(level, props) +
                  b"".join(f if isinstance(f, Raw) else binary(f) for f in fields))


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


def _reason(code, props):
    """Reason code and properties of level 5, either of which can be left out."""
    out = b"" if code is None else bytes([code])
    return out if props is None else out + properties(5, props)


def ack(kind, id, code=None, props=None, *, flags=None):
    """PUBACK, PUBREC, PUBREL or PUBCOMP; the short form has no reason code."""
    return packet(kind, u16(id) + _reason(code, props), flags)


def subscribe(id, *filters, level=4, props=b"", flags=None):
    """SUBSCRIBE; each filter is a pair of filter and its options byte (the QoS)."""
    return packet(SUBSCRIBE, u16(id) + properties(level, props) +
                  b"".join(binary(f) + bytes([o]) for f, o in filters), flags)


def unsubscribe(id, *filters, level=4, props=b"", flags=None):
    return packet(UNSUBSCRIBE, u16(id) + properties(level, props) +
                  b"".join(map(binary, filters)), flags)


def pingreq():
    return packet(PINGREQ)


def disconnect(code=None, props=None):
    return packet(DISCONNECT, _reason(code, props))


def auth(code=None, props=None):
    return packet(AUTH, _reason(code, props))


# --------------------------------------------------------------- decoder

def _props():
    """Not compared: what else a packet says is looked at by name."""
    return field(default_factory=dict, compare=False)


@dataclass
class Connack:
    code: int = 0
    session_present: bool = False
    props: dict = _props()


@dataclass
class Publish:
    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False
    dup: bool = False
    id: int | None = None
    props: dict = _props()
    alias: int | None = field(default=None, compare=False)

    def __repr__(self):
        data = self.payload if len(self.payload) < 40 else f"<{len(self.payload)} bytes>"
        topic = self.topic if len(self.topic) < 80 else f"<{len(self.topic)} chars>"
        props = f", {self.props!r:.200}" if self.props else ""
        return (f"Publish({topic!r}, {data!r}, qos={self.qos}, retain={self.retain}, "
                f"dup={self.dup}, id={self.id}{props})")


@dataclass
class Ack:
    """What PUBACK, PUBREC, PUBREL and PUBCOMP have in common."""
    id: int
    code: int = 0
    props: dict = _props()


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
    props: dict = _props()


@dataclass
class Unsuback:
    id: int
    codes: list = field(default_factory=list)
    props: dict = _props()


@dataclass
class Pingresp:
    pass


@dataclass
class Disconnect:
    code: int = 0
    props: dict = _props()


@dataclass
class Auth:
    code: int = 0
    props: dict = _props()


ACKS = {PUBACK: Puback, PUBREC: Pubrec, PUBREL: Pubrel, PUBCOMP: Pubcomp}

# The reason codes of level 5 that a server may use in each packet: table 2-6, and
# for DISCONNECT without those that only a client sends.
PUBLISHED = {0x00, 0x10, 0x80, 0x83, 0x87, 0x90, 0x91, 0x97, 0x99}
REASONS = {
    CONNACK: {0x00, 0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8c,
              0x90, 0x95, 0x97, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9f},
    PUBACK: PUBLISHED,
    PUBREC: PUBLISHED,
    PUBREL: {0x00, 0x92},
    PUBCOMP: {0x00, 0x92},
    SUBACK: {0x00, 0x01, 0x02, 0x80, 0x83, 0x87, 0x8f, 0x91, 0x97, 0x9e, 0xa1, 0xa2},
    UNSUBACK: {0x00, 0x11, 0x80, 0x83, 0x87, 0x8f, 0x91},
    DISCONNECT: {0x00, *range(0x80, 0x84), 0x87, 0x89, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90,
                 *range(0x93, 0xa3)},
    AUTH: {0x00, 0x18},
}


def _get_props(r, kind, level):
    return prop.decode(kind, r.take(r.varint())) if level >= 5 else {}


def _connack(r, level):
    flags, code = r.byte(), r.byte()
    if flags & ~1:
        raise ProtocolError(f"reserved CONNACK flags: {flags:#x}")
    if flags and code:
        raise ProtocolError(f"session present in a refusal with {code:#x}")
    if level >= 5 and code not in REASONS[CONNACK]:
        raise ProtocolError(f"CONNACK with {code:#x}")
    # A level 5 refusal has properties; an accepted level 4 has none.
    return Connack(code, bool(flags), _get_props(r, CONNACK, level))


def _publish(r, flags, level):
    qos = flags >> 1 & 3
    if qos == 3:
        raise ProtocolError("PUBLISH with QoS 3")
    if flags & 8 and not qos:
        raise ProtocolError("PUBLISH with QoS 0 and DUP")
    topic = r.text()
    id = r.id() if qos else None
    props = _get_props(r, PUBLISH, level)
    alias = props.pop("topic_alias", None)
    if not topic and not alias or "+" in topic or "#" in topic:
        raise ProtocolError(f"not a topic name: {topic!r}")
    return Publish(topic, r.rest(), qos, bool(flags & 1), bool(flags & 8), id, props, alias)


def _codes(r, allowed):
    codes = list(r.rest())
    bad = [hex(c) for c in codes if c not in allowed]
    if bad:
        raise ProtocolError(f"reserved return codes {bad}")
    return codes


def _short(r, kind, level):
    """Reason code and properties, either of which can be left out."""
    code = r.byte() if level >= 5 and r.left() else 0
    props = _get_props(r, kind, level) if r.left() else {}
    if level >= 5 and code not in REASONS[kind]:
        raise ProtocolError(f"packet type {kind} with reason code {code:#x}")
    return code, props


def _disconnect(r):
    code, props = _short(r, DISCONNECT, 5)
    if "session_expiry" in props:
        raise ProtocolError("DISCONNECT from the broker with a session expiry interval")
    return Disconnect(code, props)


def _auth(r):
    code, props = _short(r, AUTH, 5)
    if "auth_method" not in props:
        raise ProtocolError("AUTH without an authentication method")
    return Auth(code, props)


def decode(first, body, level=4):
    """One packet from the broker. Raises ProtocolError if it isn't perfect."""
    kind, flags, r = first >> 4, first & 15, Reader(bytes(body))
    if kind != PUBLISH and flags != FIXED_FLAGS.get(kind):
        raise ProtocolError(f"packet type {kind} with flags {flags:#x}")
    if kind == CONNACK:
        out = _connack(r, level)
    elif kind == PUBLISH:
        out = _publish(r, flags, level)
    elif kind in ACKS:
        out = ACKS[kind](r.id(), *_short(r, kind, level))
    elif kind == SUBACK:
        id, props = r.id(), _get_props(r, kind, level)
        out = Suback(id, _codes(r, (0, 1, 2, 0x80) if level < 5 else REASONS[SUBACK]), props)
    elif kind == UNSUBACK:
        id, props = r.id(), _get_props(r, kind, level)
        out = Unsuback(id, _codes(r, () if level < 5 else REASONS[UNSUBACK]), props)
    elif kind == PINGRESP:
        out = Pingresp()
    elif kind == DISCONNECT and level >= 5:
        out = _disconnect(r)
    elif kind == AUTH and level >= 5:
        out = _auth(r)
    else:
        raise ProtocolError(f"a broker doesn't send packet type {kind} at level {level}")
    r.end()
    return out
