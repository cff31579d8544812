# SPDX-License-Identifier: GPL-2.0
"""Fixtures of the tests of kmqttd: a server, certificates, clients."""

import contextlib
import ctypes
import hmac
import itertools
import json
import os
import queue
import signal
import socket
import ssl
import subprocess
import threading

import pytest

SERVER = os.environ["KMQTT_SERVER"]
SCALE = float(os.environ.get("KMQTT_TIMEOUT_SCALE", "1"))
TIMEOUT = 10 * SCALE


def has_ktls():
    """Does the kernel do TLS? It is asked with a connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname()) as client:
            try:
                client.setsockopt(socket.IPPROTO_TCP, 31, b"tls")
            except OSError:
                return False
            return True


KTLS = has_ktls()
needs_ktls = pytest.mark.skipif(not KTLS, reason="no TLS in this kernel")


# Below the ports that clients have: one of theirs would be in the way for a minute.
PORTS = itertools.count(20000)


def free_port():
    for port in PORTS:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


class Server:
    """kmqttd that hands connections to itself, and sends back what comes."""

    def __init__(self, path):
        self.path = path
        self.port = free_port()
        self.process = None
        self.lines = queue.Queue()
        self.log = []

    def write(self, agent):
        (self.path / "agent").write_text(agent)

    def start(self, agent):
        self.write(agent)
        self.process = subprocess.Popen(
            [SERVER, str(self.port), self.path / "agent"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env=dict(os.environ, ASAN_OPTIONS="quarantine_size_mb=1"),
        )  # fmt: skip
        for stream, take in ((self.process.stdout, self.take), (self.process.stderr, self.note)):
            threading.Thread(target=self.read, args=(stream, take), daemon=True).start()
        state = self.told()
        assert state["open"] == 1, self.log
        return state

    @staticmethod
    def read(stream, take):
        for line in stream:
            take(line.decode(errors="backslashreplace").rstrip("\n"))

    def take(self, line):
        self.lines.put(json.loads(line))

    def note(self, line):
        self.log.append(line)

    def told(self, timeout=TIMEOUT):
        """The next line: a connection that is handed over, or a state."""
        try:
            return self.lines.get(timeout=timeout)
        except queue.Empty:
            pytest.fail("nothing was handed over; log:\n" + "\n".join(self.log))

    def silent(self, timeout=0.3):
        try:
            pytest.fail(f"handed over: {self.lines.get(timeout=timeout)}")
        except queue.Empty:
            pass

    def reload(self, agent=None):
        if agent is not None:
            self.write(agent)
        self.process.send_signal(signal.SIGHUP)
        return self.told()

    def connect(self, source="127.0.0.1"):
        return socket.create_connection(("127.0.0.1", self.port), TIMEOUT, (source, 0))

    def logged(self, text):
        """Is it in the log? A line may be on its way."""
        event = threading.Event()
        for _ in range(int(50 * SCALE)):
            if any(text in line for line in list(self.log)):
                return True
            event.wait(0.1)
        pytest.fail(f"{text!r} is not in the log:\n" + "\n".join(self.log))

    def memory(self):
        """What it holds now, in KiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))

    def seconds(self):
        """What it has worked so far."""
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(TIMEOUT) == 0, "\n".join(self.log)


@pytest.fixture
def server(tmp_path):
    one = Server(tmp_path)
    yield one
    if one.process:
        if one.process.poll() is None:
            one.stop()
        assert one.process.returncode == 0, "\n".join(one.log)


CA_CONFIG = """
[ca]
default_ca = this
[this]
dir = {dir}
database = {dir}/index
new_certs_dir = {dir}
rand_serial = yes
default_md = sha256
default_days = 30
default_crl_days = 30
policy = any
[any]
commonName = optional
organizationName = optional
countryName = optional
"""


def der_read(data):
    """The tag, what is in there, and what follows."""
    size, at = data[1], 2
    if size & 0x80:
        at += size & 0x7f
        size = int.from_bytes(data[2:at], "big")
    return data[0], data[at:at + size], data[at + size:]


def der_write(tag, body):
    size = len(body).to_bytes(2, "big")
    return bytes([tag, 0x82]) + size + body if len(body) > 127 else bytes([tag, size[1]]) + body


class Authority:
    """A certificate authority with all that it has signed."""

    def __init__(self, path, name="CA"):
        self.path = path
        path.mkdir()
        (path / "index").write_text("")
        (path / "conf").write_text(CA_CONFIG.format(dir=path))
        self.openssl("req", "-x509", *self.key("ca"), "-days", "30", "-subj", f"/CN={name}",
                     "-out", "ca.pem")
        self.revoke_nobody()

    def openssl(self, *args):
        subprocess.run(("openssl", *args), cwd=self.path, check=True, capture_output=True)

    @staticmethod
    def key(name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-keyout", f"{name}.key")

    def issue(self, name, subject, *options):
        self.openssl("req", *self.key(name), "-utf8", "-subj", subject, "-out", f"{name}.csr")
        self.openssl("ca", "-batch", "-notext", "-utf8", "-config", "conf", "-cert", "ca.pem",
                     "-keyfile", "ca.key", "-in", f"{name}.csr", "-out", f"{name}.pem",
                     "-preserveDN", *options)
        return name

    def revoke_nobody(self):
        self.openssl("ca", "-config", "conf", "-cert", "ca.pem", "-keyfile", "ca.key",
                     "-gencrl", "-out", "crl.pem")

    def revoke(self, name):
        self.openssl("ca", "-config", "conf", "-cert", "ca.pem", "-keyfile", "ca.key",
                     "-revoke", f"{name}.pem")
        self.revoke_nobody()

    def change_name(self, name, old, new):
        """Another subject, that no tool would make, signed all the same."""
        pem = (self.path / f"{name}.pem").read_text()
        _, cert, _ = der_read(ssl.PEM_cert_to_DER_cert(pem))
        _, _, rest = der_read(cert)
        signed = cert[:len(cert) - len(rest)]
        assert old in signed and len(old) == len(new)
        signed = signed.replace(old, new)
        (self.path / "signed").write_bytes(signed)
        self.openssl("dgst", "-sha256", "-sign", "ca.key", "-out", "signature", "signed")
        signature = b"\0" + (self.path / "signature").read_bytes()
        _, _, after = der_read(rest)
        algorithm = rest[:len(rest) - len(after)]
        der = der_write(0x30, signed + algorithm + der_write(0x03, signature))
        (self.path / f"{name}.pem").write_text(ssl.DER_cert_to_PEM_cert(der))

    def file(self, name):
        return str(self.path / name)

    def agent(self, server="server"):
        return f"certfile {self.file(server)}.pem\nkeyfile {self.file(server)}.key\n"

    def wants_clients(self):
        return self.agent() + f"cafile {self.file('ca.pem')}\nrequire_certificate true\n"


@pytest.fixture(scope="session")
def pki(tmp_path_factory):
    ca = Authority(tmp_path_factory.mktemp("pki") / "ca")
    ca.issue("server", "/CN=localhost")
    ca.issue("client", "/C=DE/O=Müller, Söhne/CN=device 1")
    return ca


@pytest.fixture(scope="session")
def rsa(pki):
    """A server's certificate that needs no authority, and has a key of RSA."""
    pki.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
                "/CN=localhost", "-keyout", "rsa.key", "-out", "rsa.pem")
    return "rsa"


class Client:
    """A client that speaks TLS."""

    def __init__(self, pki, version=None, cert=None, ciphers=None, alpn=None):
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self.context.check_hostname = False
        self.context.load_verify_locations(pki.file("ca.pem"))
        if version:
            self.context.minimum_version = self.context.maximum_version = version
        if cert:
            self.context.load_cert_chain(pki.file(f"{cert}.pem"), pki.file(f"{cert}.key"))
        if ciphers:
            self.context.set_ciphers(ciphers)
        if alpn:
            self.context.set_alpn_protocols(alpn)

    def connect(self, server, session=None, ahead=b""):
        sock = server.connect()
        sock.sendall(ahead)
        return self.context.wrap_socket(sock, session=session)


class Records:
    """Makes a client's records, TLS 1.3 and AES-128-GCM, that no library would send."""

    def __init__(self, secrets):
        line = next(line for line in secrets.read_text().splitlines()
                    if line.startswith("CLIENT_TRAFFIC_SECRET_0 "))
        secret = bytes.fromhex(line.split()[2])
        self.crypto = ctypes.CDLL("libcrypto.so.3")
        for name in ("EVP_CIPHER_CTX_new", "EVP_aes_128_gcm"):
            getattr(self.crypto, name).restype = ctypes.c_void_p
        self.key = self.expand(secret, b"key", 16)
        self.iv = int.from_bytes(self.expand(secret, b"iv", 12), "big")
        self.sequence = 0

    @staticmethod
    def expand(secret, label, size):
        label = b"tls13 " + label
        info = size.to_bytes(2, "big") + bytes([len(label)]) + label + b"\0"
        return hmac.digest(secret, info + b"\1", "sha256")[:size]

    def make(self, data):
        data += b"\x17"
        header = b"\x17\3\3" + (len(data) + 16).to_bytes(2, "big")
        nonce = (self.iv ^ self.sequence).to_bytes(12, "big")
        self.sequence += 1
        out, size = ctypes.create_string_buffer(len(data)), ctypes.c_int()
        ctx = ctypes.c_void_p(self.crypto.EVP_CIPHER_CTX_new())
        cipher = ctypes.c_void_p(self.crypto.EVP_aes_128_gcm())
        assert self.crypto.EVP_EncryptInit_ex(ctx, cipher, None, self.key, nonce) == 1
        self.crypto.EVP_EncryptUpdate(ctx, None, ctypes.byref(size), header, len(header))
        self.crypto.EVP_EncryptUpdate(ctx, out, ctypes.byref(size), data, len(data))
        tag = ctypes.create_string_buffer(16)
        assert self.crypto.EVP_EncryptFinal_ex(ctx, tag, ctypes.byref(size)) == 1
        assert self.crypto.EVP_CIPHER_CTX_ctrl(ctx, 0x10, 16, tag) == 1
        self.crypto.EVP_CIPHER_CTX_free(ctx)
        return header + out.raw + tag.raw


def echoes(sock, data=b"x" * 100):
    """What is sent comes back. A part at a time has room on the way."""
    for at in range(0, len(data), 20000):
        part, got = data[at:at + 20000], b""
        sock.sendall(part)
        while len(got) < len(part):
            piece = sock.recv(65536)
            assert piece, "the connection has ended"
            got += piece
        assert got == part


def ended(sock):
    """Has the other side ended it, in whatever way?"""
    try:
        while sock.recv(4096):
            pass
    except (ConnectionError, ssl.SSLError):
        pass
    return True
