# SPDX-License-Identifier: GPL-2.0
"""The client's side of SCRAM, RFC 5802 and RFC 7677, without channel binding."""

import base64
import hashlib
import hmac
import os

HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-512": "sha512"}


class Failure(AssertionError):
    """The server's message isn't right, or it doesn't know the password."""


def b64(data):
    return base64.b64encode(data).decode()


def unb64(text):
    return base64.b64decode(text, validate=True)


def name(text):
    """A user name as it is written in a message."""
    return text.replace("=", "=3D").replace(",", "=2C")


def fields(message):
    """The attributes of a message: a dictionary, in their order."""
    try:
        return dict(part.split("=", 1) for part in message.decode().split(","))
    except ValueError as err:
        raise Failure(f"not a SCRAM message: {message!r}") from err


class Scram:
    """One authentication. The three steps have to be taken in their order."""

    def __init__(self, method, user, password, *, nonce=None, gs2="n,,"):
        self.method, self.user, self.gs2 = method, user, gs2
        self._hash = HASHES[method]
        self._password = password.encode()
        self._nonce = nonce or b64(os.urandom(18))
        self._signature = None

    def _hmac(self, key, data):
        return hmac.new(key, data, self._hash).digest()

    def _bare(self):
        return f"n={name(self.user)},r={self._nonce}"

    def first(self):
        """client-first-message"""
        return (self.gs2 + self._bare()).encode()

    def final(self, server_first, **lies):
        """client-final-message, upon server-first-message.

        `lies` replace attributes of it, or leave them out; the proof agrees with them.
        """
        got = fields(server_first)
        if list(got)[:3] != ["r", "s", "i"]:
            raise Failure(f"not a server-first-message: {server_first!r}")
        if not got["r"].startswith(self._nonce) or len(got["r"]) < len(self._nonce) + 16:
            raise Failure(f"the server adds too little to the nonce: {got['r']}")
        salt, count = unb64(got["s"]), int(got["i"])
        if len(salt) < 8 or count < 4096:
            raise Failure(f"a salt of {len(salt)} bytes, {count} iterations")
        salted = hashlib.pbkdf2_hmac(self._hash, self._password, salt, count)
        client_key = self._hmac(salted, b"Client Key")
        stored_key = hashlib.new(self._hash, client_key).digest()
        parts = {"c": b64(self.gs2.encode()), "r": got["r"], **lies}
        without_proof = f"c={parts['c']},r={parts['r']}"
        message = ",".join([self._bare(), server_first.decode(), without_proof]).encode()
        proof = bytes(a ^ b for a, b in zip(client_key, self._hmac(stored_key, message)))
        self._signature = self._hmac(self._hmac(salted, b"Server Key"), message)
        parts = {"c": parts["c"], "r": parts["r"], "p": b64(proof), **lies}
        return ",".join(f"{key}={value}" for key, value in parts.items()
                        if value is not None).encode()

    def verify(self, server_final):
        """The server knows the password, too."""
        got = fields(server_final)
        if list(got) != ["v"] or unb64(got["v"]) != self._signature:
            raise Failure(f"the server's signature is wrong: {server_final!r}")
