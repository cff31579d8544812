# SPDX-License-Identifier: GPL-2.0
"""TLS, pre-shared keys, WebSocket and the PROXY protocol from a configuration file to the
client: kmqttctl loads the file, kmqttd does the handshakes, the module does the rest, and
mosquitto_pub, mosquitto_sub, Paho C and MQTT.js, also in a page, are none the wiser."""

import contextlib
import functools
import json
import os
import pwd
import re
import signal
import socket
import ssl
import subprocess
import tempfile
import time
from pathlib import Path

import browser
from selftest import (
    PATIENCE, TOP, Loop, Peer, check, clean_up, client, ctl, ctl_json, finish, mqtt, note, point,
    receive, run, run_tests, same, settings, unload, wait_for,
)
from transports import Encrypted, EncryptedWeb, Multipath

AGENT = os.environ.get("KMQTT_AGENT") or f"{TOP}/build/tools/kmqttd"
NODE_PATH = f"{TOP}/build/clients/node_modules"
PAHO = f"{TOP}/build/clients/paho-c"
PLAIN, TLS, MUTUAL, PSK, WS, WSS, PROXY, MULTIPATH = 1883, 8883, 8884, 8885, 8080, 8443, 8886, 8887
# For pages of others; with a certificate of others.
OTHERS, FAKE = 8081, 8444
# WebSocket with clients' certificates; the other version of the PROXY protocol.
WSS_MUTUAL, PROXY_2 = 8445, 8888
CONF = f"""
listener {PLAIN} 127.0.0.1
allow_anonymous true
listener {TLS} 127.0.0.1
cafile @/ca.pem
certfile @/server.pem
keyfile @/server.key
listener {MUTUAL} 127.0.0.1
cafile @/ca.pem
certfile @/server.pem
keyfile @/server.key
crlfile @/ca.crl
require_certificate true
use_identity_as_username true
listener {PSK} 127.0.0.1
psk_file @/psk
psk_hint kmqtt
use_identity_as_username true
listener {WS} 127.0.0.1
protocol websockets
websockets_origin {browser.ORIGIN}
kmqtt_handshake_timeout 300
listener {OTHERS} 127.0.0.1
protocol websockets
websockets_origin https://example.com
kmqtt_handshake_timeout 300
listener {WSS} 127.0.0.1
protocol websockets
certfile @/server.pem
keyfile @/server.key
kmqtt_handshake_timeout 300
listener {FAKE} 127.0.0.1
protocol websockets
certfile @/mallory.pem
keyfile @/mallory.key
kmqtt_handshake_timeout 300
listener {WSS_MUTUAL} 127.0.0.1
protocol websockets
cafile @/ca.pem
certfile @/server.pem
keyfile @/server.key
require_certificate true
use_identity_as_username true
kmqtt_handshake_timeout 300
listener {PROXY} 127.0.0.1
enable_proxy_protocol 1
listener {PROXY_2} 127.0.0.1
enable_proxy_protocol 2
listener 0 @/kmqtt.sock
listener {MULTIPATH} 127.0.0.1
kmqtt_mptcp true
kmqtt_vsock_listener 1883
"""
PSK_KEY = "00112233445566778899aabbccddeeff"
VMADDR_CID_LOCAL = 1
VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
# With our certificate the names of ciphers begin so.
CIPHERS = {"1.2": "ECDHE-ECDSA-", "1.3": "TLS_"}
# What nobody may read on the way.
SECRET = "the secret of the payload"


# -------------------------------------------------------------- certificates

def openssl(directory, *args, **kw):
    return run("openssl", *args, cwd=directory, **kw)


def make_certificate(directory, name, subject, ca="ca"):
    openssl(directory, "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
            "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", subject)
    openssl(directory, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey",
            f"{ca}.key", "-CAcreateserial", "-days", "10", "-out", f"{name}.pem", "-extfile", "ext")


def make_ca(directory, name):
    openssl(directory, "req", "-x509", "-newkey", "ec", "-pkeyopt",
            "ec_paramgen_curve:prime256v1", "-nodes", "-days", "10", "-keyout", f"{name}.key",
            "-out", f"{name}.pem", "-subj", f"/CN={name}")


def revoke(directory, *names):
    """The list of those that aren't valid any more."""
    (directory / "index").write_text("")
    (directory / "ca.conf").write_text(
        "[ca]\ndefault_ca=d\n[d]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=10\n")
    by = ["-config", "ca.conf", "-cert", "ca.pem", "-keyfile", "ca.key"]
    for name in names:
        openssl(directory, "ca", *by, "-revoke", f"{name}.pem")
    openssl(directory, "ca", *by, "-gencrl", "-out", "ca.crl")


def prepare(directory):
    (directory / "ext").write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    for name in "ca", "stranger":
        make_ca(directory, name)
    make_certificate(directory, "server", "/CN=localhost")
    make_certificate(directory, "alice", "/O=kmqtt/CN=alice")
    make_certificate(directory, "lost", "/CN=lost")
    make_certificate(directory, "mallory", "/CN=alice", "stranger")
    revoke(directory, "lost")
    (directory / "psk").write_text(f"sensor:{PSK_KEY}\n")
    (directory / "kmqtt.conf").write_text(CONF.replace("@", str(directory)))


# ------------------------------------------------------------------ programs

class Agent:
    def __init__(self, directory):
        self.path = directory / "agent.log"
        self.log = self.path.open("a")
        self.start()

    def start(self):
        self.launch()
        self.wait()

    def launch(self, *args, **env):
        self.process = subprocess.Popen([AGENT, "-v", *args], stderr=self.log, stdout=self.log,
                                        env=dict(os.environ, **env))

    def wait(self):
        for port in TLS, MUTUAL, PSK, WS, OTHERS, WSS, FAKE, WSS_MUTUAL, PROXY, PROXY_2:
            wait_for(lambda port=port: self.listens(port), f"kmqttd to listen at {port}")

    def listens(self, port):
        check(self.process.poll() is None, f"kmqttd has ended: {self.path.read_text()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
            return True
        return False

    def tells(self, text, before=0):
        """It may do so only when the client knows."""
        wait_for(lambda: text in self.path.read_text()[before:], f"{text!r} in the log of kmqttd")

    def end(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(PATIENCE)


class Subscriber:
    """mosquitto_sub that is subscribed by now."""

    running = []

    def __init__(self, *args, **kw):
        self.running.append(self)
        self.out = tempfile.TemporaryFile("w+")
        self.child = subprocess.Popen(["stdbuf", "-oL", "mosquitto_sub", "-d", "-h", "localhost",
                                       *args], stdout=self.out, stderr=subprocess.STDOUT, **kw)
        wait_for(lambda: "Subscribed" in self.text() or self.child.poll() is not None,
                 f"mosquitto_sub {args} to subscribe")
        check("Subscribed" in self.text(), f"mosquitto_sub {args}: {self.text()}")

    def text(self):
        return os.pread(self.out.fileno(), 1 << 20, 0).decode()

    def gets(self, text):
        wait_for(lambda: text in self.text(), f"{text!r} from mosquitto_sub")

    def end(self):
        self.child.terminate()
        self.child.wait(PATIENCE)


PUBLISH = ["timeout", str(PATIENCE), "mosquitto_pub", "-h", "localhost", "-q", "1", "-t", "t"]


def publish(*args, status=0, **kw):
    got = run(*PUBLISH, *args, check_status=False, **kw)
    check((got.returncode == 0) == (status == 0),
          f"mosquitto_pub {args}: {got.returncode} {got.stderr}")
    return got.stderr


@contextlib.contextmanager
def publisher(*args, **kw):
    """mosquitto_pub of the lines that are written; it stays as long as this."""
    with subprocess.Popen([*PUBLISH, "-l", *args], stdin=subprocess.PIPE, text=True, **kw) as child:
        yield child.stdin
    same(child.returncode, 0, f"status of mosquitto_pub {args}")


def row_of(client_id):
    rows = [row for row in ctl_json("client") if row.get("client_id") == client_id]
    same(len(rows), 1, f"rows of {client_id}")
    return rows[0]


class Wire:
    """What goes over loopback meanwhile."""

    RCVBUFFORCE = 33

    def __enter__(self):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self.sock.setsockopt(socket.SOL_SOCKET, self.RCVBUFFORCE, 1 << 24)
        self.sock.bind(("lo", 0))
        self.data = b""
        return self

    def __exit__(self, *_):
        self.sock.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.data += self.sock.recv(1 << 17)
        self.sock.close()


# --------------------------------------------------------------------- tests

# No option keeps the programs from 1.3, but the library has its own.
UP_TO = """
openssl_conf = all
[all]
ssl_conf = ssl
[ssl]
system_default = versions
[versions]
MaxProtocol = TLSv@
"""


def up_to(d, version):
    """The environment in which OpenSSL has no newer version of TLS."""
    conf = d / f"openssl-{version}.cnf"
    conf.write_text(UP_TO.replace("@", version))
    return dict(os.environ, OPENSSL_CONF=str(conf))


def play_mosquitto(d, version, text, *at):
    """Text goes from mosquitto_pub to mosquitto_sub in one version of TLS; their rows."""
    env = up_to(d, version)
    reader = Subscriber(*at, "-t", "t", "-i", f"reader {version}", env=env)
    with publisher("-i", f"writer {version}", *at, env=env) as lines:
        print(text, file=lines, flush=True)
        reader.gets(text)
        rows = [row_of(f"{name} {version}") for name in ("reader", "writer")]
    reader.end()
    same([row["tls_version"] for row in rows], [version] * 2, "versions of TLS")
    return rows


def test_tls(d, _):
    at = ["-p", str(TLS), "--cafile", str(d / "ca.pem")]
    with Wire() as wire:
        plain = Subscriber("-p", str(PLAIN), "-t", "plain", "-i", "plain")
        for version in VERSIONS:
            play_mosquitto(d, version, f"{SECRET} in {version}", *at)
            # The other end says the same.
            sock = secure_client(d, f"client {version}", version)
            row = row_of(f"client {version}")
            same((row["tls_version"], row["cipher"]), (version, sock.cipher()[0]), "TLS")
            with open("/proc/net/tls_stat") as file:
                stat = dict(line.split() for line in file)
            check(int(stat["TlsCurrTxSw"]) >= 1 and int(stat["TlsCurrRxSw"]) >= 1, f"{stat}")
            same(int(stat["TlsDecryptError"]), 0, "records that could not be decrypted")
            sock.close()
        publish("-p", str(PLAIN), "-t", "plain", "-m", "for all to see")
        plain.gets("for all to see")
        plain.end()
    check(b"for all to see" in wire.data, "nothing was seen on the wire")
    check(SECRET.encode() not in wire.data, "a secret was seen on the wire")
    # A client that doesn't know who we are doesn't want us.
    publish("-p", str(TLS), "--cafile", str(d / "stranger.pem"), "-m", "x", status=1)


def test_certificates(d, agent):
    at = ["-p", str(MUTUAL), "--cafile", str(d / "ca.pem"), "-u", "bob"]

    def keys(name):
        return ["--cert", str(d / f"{name}.pem"), "--key", str(d / f"{name}.key")]

    for version in VERSIONS:
        for row in play_mosquitto(d, version, f"by {version}", *at, *keys("alice")):
            same(row["user"], "alice", "user")
            check("O=kmqtt" in row["subject"] and "CN=alice" in row["subject"], f"{row}")
        before = len(agent.path.read_text())
        for wrong in keys("lost"), keys("mallory"), []:
            publish(*at, *wrong, "-m", "x", status=1, env=up_to(d, version))
        for word in "revoked", "unable to get local issuer", "peer did not return a certificate":
            agent.tells(word, before)


def play_paho(d, agent, version, port, kind, user=None, **env):
    """The scenarios of tests/clients in one version of TLS, with ciphers of one kind."""
    before = len(agent.path.read_text())
    env = dict(up_to(d, version), KMQTT_TIMEOUT_SCALE="5", KMQTT_CLIENTS_BIG="0",
               KMQTT_CLIENTS_VERSIONS="3.1.1", **env)
    known = {(version, "KMQTT_WEBSOCKET" in env, user)}
    with tempfile.TemporaryFile("w+") as out:
        child = subprocess.Popen(["timeout", str(2 * PATIENCE), PAHO, "localhost", str(port)],
                                 env=env, stdout=out, stderr=subprocess.STDOUT)
        seen = set()
        while child.poll() is None:
            seen |= {(row["tls_version"], row.get("websocket", False), row.get("user"))
                     for row in ctl_json("client") if "client_id" in row}
            time.sleep(0.5)
        out.seek(0)
        text = out.read()
    check(child.returncode == 0 and "ok - 3.1.1: qos" in text, f"{child.returncode}: {text}")
    same(seen, known, "what is known of clients")
    ciphers = re.findall("handed over, (.+)", agent.path.read_text()[before:])
    check(ciphers and all(kind in cipher for cipher in ciphers), f"{kind}: {ciphers}")


def paho_files(d):
    """The authority that Paho C is to believe, and its own certificate."""
    return {"KMQTT_TLS_CA": str(d / "ca.pem"), "KMQTT_TLS_CERT": str(d / "alice.pem"),
            "KMQTT_TLS_KEY": str(d / "alice.key")}


def test_paho(d, agent):
    for version, kind in CIPHERS.items():
        play_paho(d, agent, version, MUTUAL, kind, "alice", **paho_files(d))


def test_paho_web(d, agent):
    for version, kind in CIPHERS.items():
        play_paho(d, agent, version, WSS_MUTUAL, kind, "alice", **paho_files(d),
                  KMQTT_WEBSOCKET="1")


def test_paho_psk(d, agent):
    """OpenSSL's callback names no hash: with TLS 1.3 the key is one for SHA-256."""
    for version, kind in ("1.2", "-PSK-"), ("1.3", "_SHA256"):
        play_paho(d, agent, version, PSK, kind, "sensor", KMQTT_TLS_PSK=f"sensor:{PSK_KEY}")


WITH_PSK = ["-p", str(PSK), "--psk-identity", "sensor", "--psk"]


def test_psk(d, _):
    for version in VERSIONS:
        for row in play_mosquitto(d, version, f"by {version}", *WITH_PSK, PSK_KEY):
            same((row["user"], row["subject"]), ("sensor", "sensor"), "who it is")
        publish(*WITH_PSK, PSK_KEY[::-1], "-m", "x", status=1, env=up_to(d, version))


SCRIPT = """
const fs = require('fs');
const mqtt = require('mqtt');

/* A text comes back, and much. */
function play({url, files, psk, ...options}) {
	for (const [name, path] of Object.entries(files ?? {}))
		options[name] = fs.readFileSync(path);
	if (psk) {
		const [identity, key] = psk;

		options.pskCallback = () => ({identity, psk: Buffer.from(key, 'hex')});
		options.checkServerIdentity = () => undefined;
	}
	const client = mqtt.connect(url, {...options, wsOptions: options, protocolVersion: 5,
		reconnectPeriod: 0, connectTimeout: 120e3});

	client.on('error', (err) => { console.log(err); process.exit(1); });
	client.subscribe('js', {qos: 2}, () => client.publish('js', `by ${url}`, {qos: 1}));
	return new Promise((resolve) => client.on('message', (topic, message) => {
		if (message.length == 200000)
			return client.end(false, resolve);
		console.log(message.toString());
		client.publish('js', Buffer.alloc(200000), {qos: 2});
	}));
}

async function main(cases) {
	for (const one of cases)
		await play(one);
}

main(JSON.parse(process.argv[2]));
"""


def test_js(d, agent):
    """Node.js has both versions of TLS, certificates, and keys for TLS 1.2."""
    ca = {"ca": str(d / "ca.pem")}
    alice = {**ca, "cert": str(d / "alice.pem"), "key": str(d / "alice.key")}
    old = {"maxVersion": "TLSv1.2"}
    cases = [
        ({"url": f"mqtts://localhost:{TLS}", "files": ca}, "TLS_"),
        ({"url": f"mqtts://localhost:{TLS}", "files": ca, **old}, "ECDHE-ECDSA-"),
        ({"url": f"mqtts://localhost:{MUTUAL}", "files": alice}, "TLS_"),
        ({"url": f"mqtts://localhost:{MUTUAL}", "files": alice, **old}, "ECDHE-ECDSA-"),
        ({"url": f"mqtts://localhost:{PSK}", "psk": ("sensor", PSK_KEY), "ciphers": "PSK", **old},
         ("PSK-", "DHE-PSK-", "ECDHE-PSK-")),
        ({"url": f"ws://localhost:{WS}"}, ""),
        ({"url": f"wss://localhost:{WSS}", "files": ca}, "TLS_"),
        ({"url": f"wss://localhost:{WSS}", "files": ca, **old}, "ECDHE-ECDSA-"),
        ({"url": f"wss://localhost:{WSS_MUTUAL}", "files": alice}, "TLS_"),
        ({"url": f"wss://localhost:{WSS_MUTUAL}", "files": alice, **old}, "ECDHE-ECDSA-"),
    ]
    (d / "client.js").write_text(SCRIPT)
    before = len(agent.path.read_text())
    got = run("timeout", str(PATIENCE * 3), "node", str(d / "client.js"),
              json.dumps([one for one, _ in cases]), check_status=False,
              env=dict(os.environ, NODE_PATH=NODE_PATH))
    same(got.stdout.split("\n"), [*(f"by {one['url']}" for one, _ in cases), ""], "what came back")
    ciphers = re.findall(r"handed over(?:, (\S+))?$", agent.path.read_text()[before:], re.M)
    same(len(ciphers), len(cases), "connections")
    for cipher, (one, prefix) in zip(ciphers, cases):
        check(cipher.startswith(prefix), f"{one}: {cipher}")


def test_page(d, agent):
    # A page that has just begun may take its time.
    with settings(connect_timeout=300):
        browser.visit(d, d / "ca.pem", {
            f"ws://localhost:{WS}": True, f"wss://localhost:{WSS}": True,
            f"ws://localhost:{OTHERS}": False, f"wss://localhost:{FAKE}": False,
        })  # fmt: skip
    log = agent.path.read_text()
    for word in "WebSocket: HTTP/1.1 403 Forbidden", "alert certificate unknown":
        check(word in log, f"no {word!r} in the log of kmqttd:\n{log}")


# Two addresses of IPv6 and their ports.
HEADER_2 = b"".join((b"\r\n\r\n\0\r\nQUIT\n", bytes((0x21, 0x21, 0, 36)),
                     socket.inet_pton(socket.AF_INET6, "2001:db8::9"),
                     socket.inet_pton(socket.AF_INET6, "2001:db8::1"),
                     (4712).to_bytes(2, "big"), (1883).to_bytes(2, "big")))


def test_proxy(*_):
    for port, header, where in (
            (PROXY, b"PROXY TCP4 192.0.2.9 192.0.2.1 4711 1883\r\n", ("192.0.2.9", 4711)),
            (PROXY_2, HEADER_2, ("2001:db8::9", 4712))):
        with socket.create_connection(("localhost", port)) as sock:
            sock.settimeout(PATIENCE)
            sock.sendall(header + mqtt.connect(f"from {where}", level=5))
            receive(sock)
            row = row_of(f"from {where}")
            same((row["address"], row["port"]), where, "where it is")
            check(pings(sock), "it is served")


def test_web_certificate(d, agent):
    """As with TLS alone. Who has a certificate is among those under load."""
    loop = Loop()
    for version in VERSIONS:
        before = len(agent.path.read_text())
        with contextlib.suppress(ssl.SSLError):
            EncryptedWeb(loop, ("127.0.0.1", WSS_MUTUAL), context_of(d, version))
            raise AssertionError("it is let in without a certificate")
        agent.tells("peer did not return a certificate", before)
    loop.close()


def context_of(d, version, name=None):
    """For a client of one version at most, maybe with a certificate."""
    context = ssl.create_default_context(cafile=str(d / "ca.pem"))
    context.maximum_version = VERSIONS[version]
    if name:
        context.load_cert_chain(d / f"{name}.pem", d / f"{name}.key")
    return context


def secure_client(d, client_id, version="1.3"):
    sock = context_of(d, version).wrap_socket(
        socket.create_connection(("localhost", TLS), PATIENCE), server_hostname="localhost")
    sock.sendall(mqtt.connect(client_id, level=5))
    receive(sock)
    return sock


def pings(sock):
    sock.sendall(mqtt.pingreq())
    return sock.recv(2) == b"\xd0\0"


def test_death(d, agent):
    """Clients don't notice that the agent is gone, and new ones come when it is back."""
    reader = Subscriber("-p", str(TLS), "--cafile", str(d / "ca.pem"), "-t", "t", "-q", "1")
    sock = secure_client(d, "writer")
    sent = 0
    for end in True, False:
        for _ in range(200):
            sent += 1
            sock.sendall(mqtt.publish("t", b"message %d." % sent, 1, sent, level=5))
        if end:
            same(agent.end(signal.SIGKILL), -signal.SIGKILL, "status of kmqttd")
        for _ in range(200):
            receive(sock)
        check(pings(sock), "the writer is served")
    reader.gets(f"message {sent}.")
    got = [line for line in reader.text().split("\n") if line.startswith("message ")]
    same(got, [f"message {number}." for number in range(1, sent + 1)], "messages")
    with contextlib.suppress(ConnectionRefusedError):
        secure_client(d, "too late").close()
        raise AssertionError("nobody is there, and yet it listens")
    agent.start()
    check(pings(secure_client(d, "new one")), "a new client is served")
    check(pings(sock), "the old one, too")
    sock.close()
    reader.end()


class Busy:
    """A kind of Peer that sends one message after the other, so many at a time."""

    WINDOW = 10
    going = True

    def begin(self, topic):
        self.topic, self.sent, self.done = topic, 0, 0
        for _ in range(self.WINDOW):
            self.more()

    def more(self):
        self.publish(self.topic, b"%d" % self.sent, qos=1)
        self.sent += 1

    def on_ack(self, kind, id):
        self.done += 1
        if self.going:
            self.more()


class BusyTls(Busy, Encrypted):
    pass


class BusyWeb(Busy, EncryptedWeb):
    pass


class Ring:
    """Clients with TLS and with WebSocket, each of which sends to the next one all the time."""

    KINDS = ((BusyTls, TLS, "1.3"), (BusyWeb, WSS, "1.3"), (BusyTls, MUTUAL, "1.2"),
             (BusyWeb, WSS_MUTUAL, "1.2"), (BusyTls, TLS, "1.2"), (BusyWeb, WSS_MUTUAL, "1.3"))

    def __init__(self, d, loop):
        self.loop = loop
        self.peers = [self.join(d, number, *kind) for number, kind in enumerate(self.KINDS)]
        self.before = self.numbers()
        for number, peer in enumerate(self.peers):
            peer.begin(f"busy/{(number + 1) % len(self.peers)}")

    def join(self, d, number, cls, port, version):
        peer = cls(self.loop, ("127.0.0.1", port), context_of(d, version, "alice"))
        peer.wait_connect(f"busy{number}").wait_subscribe(f"busy/{number}", qos=1)
        row = row_of(f"busy{number}")
        user = "alice" if port in (MUTUAL, WSS_MUTUAL) else None
        same((row["tls_version"], row.get("websocket", False), row.get("user")),
             (version, cls is BusyWeb, user), "what is known of a client")
        return peer

    @staticmethod
    def numbers():
        """Of connections: who comes again has another one."""
        rows = [row for row in ctl_json("client") if row.get("client_id", "").startswith("busy")]
        return {row["client_id"]: row["connection"] for row in rows}

    def until(self, condition, what):
        self.loop.until(lambda: all(map(condition, self.peers)) or
                        any(peer.closed for peer in self.peers), what)
        same([peer.closed for peer in self.peers], [None] * len(self.peers), "ends of connections")

    def moves(self):
        """Everybody sends and gets more."""
        want = {peer: (peer.done + 25, len(peer.messages) + 25) for peer in self.peers}
        self.until(lambda peer: peer.done >= want[peer][0] and
                   len(peer.messages) >= want[peer][1], "messages")

    def stop(self):
        """What was acknowledged was delivered, in order, and once."""
        for peer in self.peers:
            peer.going = False
        self.until(lambda peer: peer.done == peer.sent, "acknowledgments")
        sent = {peer: other.sent
                for peer, other in zip(self.peers, self.peers[-1:] + self.peers[:-1])}
        self.until(lambda peer: len(peer.messages) >= sent[peer], "what was acknowledged")
        for peer in self.peers:
            same([payload for _, payload, *_ in peer.messages],
                 [b"%d" % number for number in range(sent[peer])], "messages")
        same(self.numbers(), self.before, "connections")


def attempt(make):
    """A client, or None if nobody listens."""
    with contextlib.suppress(ConnectionRefusedError):
        return make()
    return None


def play_absence(d, agent, ring):
    """It is killed. Others don't need it, and who does gets through when it is back."""
    loop = ring.loop
    new = [functools.partial(cls, loop, ("127.0.0.1", port), context_of(d, "1.3"))
           for cls, port in ((Encrypted, TLS), (EncryptedWeb, WSS))]
    same(agent.end(signal.SIGKILL), -signal.SIGKILL, "status of kmqttd")
    ring.moves()
    plain = client(loop, "plain", peer_args={"address": ("127.0.0.1", PLAIN)})
    plain.wait_ping()
    plain.close()
    same([attempt(make) for make in new], [None, None], "who gets through")
    agent.launch()
    for number, make in enumerate(new):
        peer = loop.until(functools.partial(attempt, make), "kmqttd to be back")
        peer.wait_connect(f"new{number}").wait_ping()
        peer.close()
    agent.wait()
    ring.moves()


def test_load(d, agent):
    """Under load nobody is disconnected, and nothing is lost, when it is killed."""
    loop = Loop()
    ring = Ring(d, loop)
    ring.moves()
    for _ in range(2):
        play_absence(d, agent, ring)
    ring.stop()
    loop.close()


class Notices:
    """What systemd is told."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(str(path))
        self.sock.settimeout(PATIENCE)
        path.chmod(0o666)

    def next(self):
        """How many handshakes there were is told at any time."""
        while (state := self.sock.recv(4096).decode()).startswith("STATUS="):
            pass
        return state

    def forget(self):
        self.sock.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                self.sock.recv(4096)
        self.sock.settimeout(PATIENCE)


def is_confined(agent, user):
    """It is that user, and has what kmqttd(8) says: CAP_NET_BIND_SERVICE and CAP_NET_ADMIN."""
    threads = list(Path(f"/proc/{agent.process.pid}/task").glob("*/status"))
    check(len(threads) > 1, "threads of kmqttd")
    for path in threads:
        status = dict(re.findall(r"^(\w+):\t(.*)$", path.read_text(), re.M))
        same([status[name].split() for name in ("Uid", "Gid")],
             [[str(user.pw_uid)] * 4, [str(user.pw_gid)] * 4], "who it is")
        same([int(status[f"Cap{name}"], 16) for name in ("Bnd", "Prm", "Eff", "Inh", "Amb")],
             [1 << 10 | 1 << 12] * 3 + [0, 0], "capabilities")
        same(status["NoNewPrivs"], "1", "no new privileges")
    return status


def test_user(d, agent):
    """Privileges are dropped, and systemd is told how it goes."""
    is_confined(agent, pwd.getpwnam("root"))
    same(agent.end(), 0, "status of kmqttd")
    nobody, notices = pwd.getpwnam("nobody"), Notices(d / "notify")
    d.chmod(0o711)
    for key in d.glob("*.key"):
        os.chown(key, -1, nobody.pw_gid)
        key.chmod(0o640)
    agent.launch("--user", "nobody", NOTIFY_SOCKET=str(d / "notify"))
    wait_for(lambda: notices.next() == "READY=1", "kmqttd to be ready")
    agent.wait()
    same(is_confined(agent, nobody)["Groups"].split(), [str(nobody.pw_gid)], "groups")
    publish("-p", str(TLS), "--cafile", str(d / "ca.pem"), "-m", "x")
    notices.forget()
    agent.process.send_signal(signal.SIGHUP)
    same([notices.next(), notices.next()], ["RELOADING=1", "READY=1"], "what systemd is told")
    publish(*WITH_PSK, PSK_KEY, "-m", "x")
    notices.forget()
    same(agent.end(), 0, "status of kmqttd")
    same(notices.next(), "STOPPING=1", "what systemd is told")
    notices.sock.close()
    agent.start()


def test_reload(d, agent):
    """Another certificate, and another listener, while clients are there."""
    sock = secure_client(d, "stays")
    before = ssl.get_server_certificate(("localhost", TLS))
    make_certificate(d, "server", "/CN=localhost")
    ctl("load", str(d / "kmqtt.conf"))
    wait_for(lambda: ssl.get_server_certificate(("localhost", TLS)) != before,
             "the new certificate")
    check(pings(sock), "who is there stays")
    # What can't be read changes nothing.
    now = ssl.get_server_certificate(("localhost", TLS))
    good = (d / "server.pem").read_text()
    (d / "server.pem").write_text("no certificate\n")
    agent.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "server.pem" in agent.path.read_text(), "a complaint of kmqttd")
    same(ssl.get_server_certificate(("localhost", TLS)), now, "certificate")
    (d / "server.pem").write_text(good)
    check(pings(sock), "who is there stays")
    sock.close()


def test_save(d, _):
    """What is saved is what was loaded."""
    saved = d / "saved.conf"
    before = ctl_json("listener")
    ctl("save", str(saved))
    for line in f"certfile {d}/server.pem", "psk_hint kmqtt", "protocol websockets":
        check(f"\n{line}\n" in saved.read_text(), f"no {line!r} in {saved.read_text()}")
    ctl("load", "--check", str(saved))
    ctl("load", str(saved))
    same(ctl_json("listener"), before, "listeners")


def test_transports(d, _):
    """Listeners of a configuration, and of kmqttctl, that aren't TCP's."""
    path = d / "kmqtt.sock"
    ctl("load", str(d / "kmqtt.conf"))
    run("timeout", str(PATIENCE), "mosquitto_pub", "--unix", str(path), "-t", "t", "-m", "x")
    loop = Loop()
    for transport, address, cls in (
            ("unix", str(path), Peer), ("mptcp", ("127.0.0.1", MULTIPATH), Multipath),
            ("vsock", (VMADDR_CID_LOCAL, 1883), Peer)):
        client(loop, f"by {transport}", cls=cls, peer_args={"address": address}).wait_ping()
        same(row_of(f"by {transport}")["transport"], transport, "transport")
    loop.close()
    # A socket's file goes with its listener, and one that nobody listens at is in nobody's way.
    other = d / "other.sock"
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(other))
    ctl("listener", "add", "unix", str(other))
    ctl("listener", "del", "unix", str(other))
    check(not other.exists(), "the file of a listener that is gone")
    check(path.exists(), "the file of a listener that is there")


def end_clients():
    for reader in Subscriber.running:
        reader.end()
    clean_up()


def main():
    tests = (
        ("TLS 1.2 and 1.3", test_tls),
        ("client certificates", test_certificates),
        ("WebSocket without a client's certificate", test_web_certificate),
        ("pre-shared keys", test_psk),
        ("MQTT.js with TLS and WebSocket", test_js),
        ("MQTT.js in a page of Chromium", test_page),
        ("Paho C with TLS 1.2 and 1.3 and its certificate", test_paho),
        ("Paho C with WebSocket, TLS 1.2 and 1.3 and its certificate", test_paho_web),
        ("Paho C with a pre-shared key, TLS 1.2 and 1.3", test_paho_psk),
        ("the PROXY protocol", test_proxy),
        ("the agent dies and comes back", test_death),
        ("the agent dies under load, twice", test_load),
        ("the agent is nobody, and tells systemd how it goes", test_user),
        ("listeners that need no agent", test_transports),
        ("other certificates", test_reload),
        ("the configuration is saved", test_save),
    )
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        agent = None
        with point("kmqttctl loads the configuration, and kmqttd listens"):
            prepare(directory)
            ctl("load", str(directory / "kmqtt.conf"))
            same(len(ctl_json("listener")), 14, "listeners")
            agent = Agent(directory)
        run_tests([(text, functools.partial(test, directory, agent)) for text, test in tests],
                  end_clients)
        with point("kmqttd ends, and so does the module"):
            same(agent.end(), 0, "status of kmqttd")
            note(agent.path.read_text())
            unload()
    finish()


main()
