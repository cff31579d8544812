# SPDX-License-Identifier: GPL-2.0
"""Which versions of TLS and which ciphers each kind of listener takes, of all that OpenSSL has."""

import ctypes
import ssl
import subprocess

import pytest
from conftest import KTLS, echoes

SUITES = (
    "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
    "TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256",
)  # fmt: skip
# What the kernel can go on with, by what the listener has to prove who it is.
FITTING13 = set(SUITES[:3])
EC = {
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
}  # fmt: skip
RSA = {
    "AES128-GCM-SHA256", "AES256-GCM-SHA384",
    "DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-CHACHA20-POLY1305",
    "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305",
}  # fmt: skip
KEY = {
    "PSK-AES128-GCM-SHA256", "PSK-AES256-GCM-SHA384", "PSK-CHACHA20-POLY1305",
    "DHE-PSK-AES128-GCM-SHA256", "DHE-PSK-AES256-GCM-SHA384", "DHE-PSK-CHACHA20-POLY1305",
    "ECDHE-PSK-CHACHA20-POLY1305",
}  # fmt: skip
# A key has no hash of its own, so it goes with SHA-256.
KEY13 = {suite for suite in FITTING13 if suite.endswith("SHA256")}
ALL = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
NO_CIPHER, WRONG_VERSION = "SSLV3_ALERT_HANDSHAKE_FAILURE", "TLSV1_ALERT_PROTOCOL_VERSION"

LIBSSL = ctypes.CDLL("libssl.so.3")
KEY_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_uint, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_uint,
    ctypes.c_void_p, ctypes.c_uint,
)  # fmt: skip
SECRET = bytes.fromhex("c0ffee00c0ffee00")

# Who it is, its settings, what it takes of TLS 1.2 and 1.3.
CASES = {
    "ec": ("ec", "", EC, FITTING13),
    "rsa": ("rsa", "", RSA, FITTING13),
    "key": ("key", "", KEY, KEY13),
    "tlsv1.2": ("ec", "tls_version tlsv1.2", EC, FITTING13),
    "tlsv1.3": ("ec", "tls_version tlsv1.3", set(), FITTING13),
    "all": ("rsa", f"ciphers {ALL}\nciphers_tls1.3 {':'.join(SUITES)}", RSA, FITTING13),
    "some": (
        "rsa",
        "ciphers ECDHE-RSA-AES256-GCM-SHA384:AES128-GCM-SHA256:AES128-SHA:ADH-AES128-GCM-SHA256\n"
        "ciphers_tls1.3 TLS_AES_128_CCM_SHA256:TLS_AES_256_GCM_SHA384",
        {"ECDHE-RSA-AES256-GCM-SHA384", "AES128-GCM-SHA256"},
        {"TLS_AES_256_GCM_SHA384"},
    ),
    "all with key": ("key", f"ciphers {ALL}\nciphers_tls1.3 {':'.join(SUITES)}", KEY, KEY13),
}


@pytest.fixture(scope="module")
def every_cipher():
    """All before TLS 1.3 that a client can offer here."""
    got = subprocess.run(["openssl", "ciphers", "-s", "-tls1_2", "-psk", ALL],
                         capture_output=True, text=True, check=True)
    ciphers = got.stdout.strip().split(":")
    assert EC | RSA | KEY < set(ciphers)
    return ciphers


@pytest.fixture(scope="module")
def listeners(pki, rsa, tmp_path_factory):
    """Settings of listeners: with certificates of both kinds, and with keys only."""
    psk = tmp_path_factory.mktemp("psk") / "psk"
    psk.write_text(f"sensor:{SECRET.hex()}\n")
    return {"ec": pki.agent(), "rsa": pki.agent(rsa), "key": f"psk_file {psk}\n"}


@KEY_CALLBACK
def tell_key(_ssl, _hint, identity, _identity_size, key, _key_size):
    ctypes.memmove(identity, b"sensor\0", 7)
    ctypes.memmove(key, SECRET, len(SECRET))
    return len(SECRET)


def attempt(server, version, ciphers, suites=None):
    """What a client gets that offers these: a cipher, or None and why not."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.minimum_version = context.maximum_version = version
    context.set_ciphers(ciphers)
    # Python can't do what follows; behind the head of its object is OpenSSL's.
    raw = ctypes.c_void_p.from_address(id(context) + object.__basicsize__)
    LIBSSL.SSL_CTX_set_psk_client_callback(raw, tell_key)
    # That of Python is not the key's.
    LIBSSL.SSL_CTX_set_session_id_context(raw, b"", 0)
    if suites:
        assert LIBSSL.SSL_CTX_set_ciphersuites(raw, suites.encode()) == 1
    try:
        with context.wrap_socket(server.connect()) as sock:
            cipher = sock.cipher()[0]
            if KTLS:
                assert server.told()["cipher"] == cipher
                echoes(sock)
            return cipher, None
    except ssl.SSLError as error:
        return None, error.reason


def taken(offered, offer):
    """Those that it takes, and why not the others. All are offered, then all but what it took,
    until it refuses: what it refuses together it would refuse one by one."""
    left, found = list(offered), set()
    while True:
        cipher, alert = offer(":".join(left))
        if not cipher:
            return found, alert
        left.remove(cipher)
        found.add(cipher)


@pytest.mark.parametrize("case", CASES)
def test_matrix(server, listeners, every_cipher, case):
    kind, settings, ciphers, suites = CASES[case]
    server.start(f"{listeners[kind]}{settings}\n")
    for version in ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1:
        assert attempt(server, version, ALL) == (None, WRONG_VERSION), version

    def offer12(names):
        return attempt(server, ssl.TLSVersion.TLSv1_2, f"{names}:@SECLEVEL=0")

    def offer13(names):
        return attempt(server, ssl.TLSVersion.TLSv1_3, ALL, names)

    assert taken(every_cipher, offer12) == (ciphers, NO_CIPHER if ciphers else WRONG_VERSION)
    assert taken(SUITES, offer13) == (suites, NO_CIPHER)
    server.silent()


# A ClientHello of SSL 2 and of 3, as no library here would send it.
HELLO2 = b"\1\0\2\0\6\0\0\0\x10" + b"\1\0\x80\7\0\xc0" + bytes(16)
HELLO3 = b"\1\0\0\x2f\3\0" + bytes(33) + b"\0\x08\0\x04\0\x05\0\x0a\0\x2f" + b"\1\0"
# SSL 3 has no alert about versions.
FATAL, HANDSHAKE_FAILURE = 2, 40


def test_ssl(server, listeners):
    server.start(f"{listeners['rsa']}ciphers {ALL}\n")
    with server.connect() as sock:
        sock.sendall(b"\x16\3\0" + len(HELLO3).to_bytes(2, "big") + HELLO3)
        answer = sock.recv(100)
        assert (answer[0], answer[5:]) == (0x15, bytes((FATAL, HANDSHAKE_FAILURE)))
    assert server.logged("TLS: version too low")
    with server.connect() as sock:
        sock.sendall(bytes((0x80, len(HELLO2))) + HELLO2)
        assert not sock.recv(100)
    assert server.logged("TLS: this is not TLS")
    server.silent()
