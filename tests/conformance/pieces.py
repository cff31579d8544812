# SPDX-License-Identifier: GPL-2.0
"""What packets and properties are made of: numbers, strings, and a reader of both."""

CONNECT, CONNACK, PUBLISH, PUBACK, PUBREC, PUBREL, PUBCOMP, SUBSCRIBE, \
    SUBACK, UNSUBSCRIBE, UNSUBACK, PINGREQ, PINGRESP, DISCONNECT, AUTH = range(1, 16)


class ProtocolError(AssertionError):
    """The broker sent something that the specification doesn't allow."""


def u16(value):
    return value.to_bytes(2, "big")


def u32(value):
    return value.to_bytes(4, "big")


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


class Reader:
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

    def u32(self):
        return int.from_bytes(self.take(4), "big")

    def varint(self):
        value = 0
        for shift in range(0, 28, 7):
            byte = self.byte()
            value |= (byte & 0x7f) << shift
            if byte < 0x80:
                if shift and not byte:
                    raise ProtocolError(f"{value} in {shift // 7 + 1} bytes")
                return value
        raise ProtocolError("a number of more than four bytes")

    def id(self):
        value = self.u16()
        if not value:
            raise ProtocolError("packet identifier 0")
        return value

    def binary(self):
        return self.take(self.u16())

    def text(self):
        data = self.binary()
        try:
            text = data.decode()
        except UnicodeDecodeError as err:
            raise ProtocolError(f"ill-formed UTF-8: {data[:64]!r}") from err
        if "\0" in text:
            raise ProtocolError(f"U+0000 in {text!r}")
        return text

    def pair(self):
        return self.text(), self.text()

    def left(self):
        return len(self.data) - self.at

    def rest(self):
        return self.take(self.left())

    def end(self):
        if self.left():
            raise ProtocolError(f"{self.left()} bytes too many: {self.data[:64]!r}")
