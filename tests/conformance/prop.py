# SPDX-License-Identifier: GPL-2.0
"""The properties of MQTT 5: table 2-4, an encoder that can lie, a strict decoder.

A test gives properties as a dictionary, name -> value. A property that comes
several times has a list: of pairs for `user`, of numbers for `subscription_id`.
What the broker sends is read into the same form.
"""

from pieces import (AUTH, CONNACK, CONNECT, DISCONNECT, PUBACK, PUBCOMP, PUBLISH, PUBREC,
                    PUBREL, SUBACK, SUBSCRIBE, UNSUBACK, UNSUBSCRIBE, ProtocolError, Reader,
                    binary, u16, u32, varint)

WILL = 0        # stands for the will properties, which are part of a CONNECT

MESSAGE = {PUBLISH, WILL}
HELLO = {CONNECT, CONNACK}
ANSWERS = {CONNACK, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBACK, UNSUBACK, DISCONNECT, AUTH}
ALL = ANSWERS | MESSAGE | {CONNECT, SUBSCRIBE, UNSUBSCRIBE}

# name: (identifier, type, packets that may have it)
TABLE = {
    "payload_format": (0x01, "bool", MESSAGE),
    "message_expiry": (0x02, "u32", MESSAGE),
    "content_type": (0x03, "text", MESSAGE),
    "response_topic": (0x08, "text", MESSAGE),
    "correlation_data": (0x09, "binary", MESSAGE),
    "subscription_id": (0x0b, "varint", {PUBLISH, SUBSCRIBE}),
    "session_expiry": (0x11, "u32", HELLO | {DISCONNECT}),
    "assigned_id": (0x12, "text", {CONNACK}),
    "server_keep_alive": (0x13, "u16", {CONNACK}),
    "auth_method": (0x15, "text", HELLO | {AUTH}),
    "auth_data": (0x16, "binary", HELLO | {AUTH}),
    "request_problem": (0x17, "bool", {CONNECT}),
    "will_delay": (0x18, "u32", {WILL}),
    "request_response": (0x19, "bool", {CONNECT}),
    "response_info": (0x1a, "text", {CONNACK}),
    "server_reference": (0x1c, "text", {CONNACK, DISCONNECT}),
    "reason_string": (0x1f, "text", ANSWERS),
    "receive_max": (0x21, "u16", HELLO),
    "topic_alias_max": (0x22, "u16", HELLO),
    "topic_alias": (0x23, "u16", {PUBLISH}),
    "max_qos": (0x24, "bool", {CONNACK}),
    "retain_available": (0x25, "bool", {CONNACK}),
    "user": (0x26, "pair", ALL),
    "max_packet_size": (0x27, "u32", HELLO),
    "wildcard_available": (0x28, "bool", {CONNACK}),
    "subscription_ids_available": (0x29, "bool", {CONNACK}),
    "shared_available": (0x2a, "bool", {CONNACK}),
}

NAMES = {entry[0]: name for name, entry in TABLE.items()}
NOT_0 = {"subscription_id", "receive_max", "topic_alias", "max_packet_size"}

ENCODERS = {
    "bool": lambda value: bytes([value]),
    "u16": u16,
    "u32": u32,
    "varint": varint,
    "text": binary,
    "binary": binary,
    "pair": lambda value: binary(value[0]) + binary(value[1]),
}

# Some value that is right for each type, whatever the property.
SAMPLES = {"bool": 1, "u16": 1, "u32": 1000, "varint": 1, "text": "some", "binary": b"some",
           "pair": ("some", "thing")}


def one(name, value):
    """A single property."""
    number, kind, _ = TABLE[name]
    return varint(number) + ENCODERS[kind](value)


def sample(name):
    """A property with a value that is allowed."""
    return one(name, SAMPLES[TABLE[name][1]])


def encode(props):
    """Properties without their length. Bytes are what they are."""
    if isinstance(props, (bytes, bytearray)):
        return bytes(props)
    out = b""
    for name, value in props.items():
        for each in value if isinstance(value, list) else [value]:
            out += one(name, each)
    return out


def decode(kind, data):
    """What the broker has put into a packet of this kind."""
    r, found = Reader(data), {}
    while r.left():
        number = r.varint()
        name = NAMES.get(number)
        if name is None or kind not in TABLE[name][2]:
            raise ProtocolError(f"property {number:#x} ({name}) in packet type {kind}")
        shape = TABLE[name][1]
        value = r.byte() if shape == "bool" else getattr(r, shape)()
        if shape == "bool" and value > 1 or name in NOT_0 and not value:
            raise ProtocolError(f"{name} is {value}")
        if name in ("user", "subscription_id"):
            found.setdefault(name, []).append(value)
        elif name in found:
            raise ProtocolError(f"{name} twice")
        else:
            found[name] = value
    found.get("subscription_id", []).sort()
    return found
