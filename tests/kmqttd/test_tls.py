# SPDX-License-Identifier: GPL-2.0
"""TLS: handshakes, and that the kernel goes on with them."""

import contextlib
import ssl
import subprocess
import time

import pytest
from conftest import (
    KTLS, SCALE, TIMEOUT, Authority, Client, der_read, echoes, ended, needs_ktls,
)  # fmt: skip

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3

CIPHERS12 = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-ECDSA-CHACHA20-POLY1305",
)
CIPHERS13 = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")

# The part of the record that no handshake fills, many records, a record that isn't full.
LENGTHS = (1, 16384, 100000)


@needs_ktls
@pytest.mark.parametrize("cipher", CIPHERS12)
def test_tls12(server, pki, cipher):
    server.start(pki.agent())
    with Client(pki, TLS12, ciphers=cipher).connect(server) as sock:
        told = server.told()
        assert (told["tls"], told["cipher"]) == (0x0303, cipher)
        assert (told["listener"], told["has_user"], told["websocket"]) == (7, False, False)
        for length in LENGTHS:
            echoes(sock, b"a" * length)


@needs_ktls
@pytest.mark.parametrize("cipher", CIPHERS13)
def test_tls13(server, pki, cipher):
    server.start(pki.agent() + f"ciphers_tls1.3 {cipher}\n")
    with Client(pki, TLS13).connect(server) as sock:
        told = server.told()
        assert (told["tls"], told["cipher"]) == (0x0304, cipher)
        for length in LENGTHS:
            echoes(sock, b"a" * length)


@contextlib.contextmanager
def s_client_runs(server, *args):
    """Openssl, that sends a line at once, with the handshake's end, and gets it back."""
    process = subprocess.Popen(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", "-quiet", *args],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    process.stdin.write(b"hello\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"hello\n"
    yield
    process.kill()
    process.communicate()


def s_client(server, *args, data=b"hello"):
    """What openssl has to say."""
    return subprocess.run(
        ["openssl", "s_client", "-connect", f"127.0.0.1:{server.port}", *args],
        input=data, capture_output=True, timeout=TIMEOUT, check=False,
    )  # fmt: skip


@needs_ktls
@pytest.mark.parametrize("version", ("-tls1_2", "-tls1_3"))
def test_psk(server, tmp_path, version):
    (tmp_path / "psk").write_text("sensor:c0ffee00c0ffee00\nother:00112233\n")
    server.start(f"psk_file {tmp_path}/psk\npsk_hint here\nuse_identity_as_username true\n")
    with s_client_runs(server, version, "-psk_identity", "sensor", "-psk", "c0ffee00c0ffee00"):
        told = server.told()
    assert (told["has_user"], told["user"], told["subject"]) == (True, "sensor", "sensor")
    assert told["tls"] == (0x0303 if version == "-tls1_2" else 0x0304)


def test_psk_hint(server, tmp_path):
    """Of TLS 1.2, there is none in 1.3."""
    (tmp_path / "psk").write_text("sensor:c0ffee00c0ffee00\n")
    server.start(f"psk_file {tmp_path}/psk\npsk_hint the key of the house\n")
    got = s_client(server, "-tls1_2", "-psk_identity", "sensor", "-psk", "c0ffee00c0ffee00")
    assert b"PSK identity hint: the key of the house\n" in got.stdout


@pytest.mark.parametrize(
    "version,identity,key,alert,log",
    (
        ("-tls1_2", "sensor", "00", "bad record mac", "cipher operation failed"),
        ("-tls1_3", "sensor", "00", "illegal parameter", "binder does not verify"),
        ("-tls1_2", "nobody", "c0ffee00c0ffee00", "unknown psk identity",
         "psk identity not found"),
        # It is taken for a ticket that is too old, and there is no certificate.
        ("-tls1_3", "nobody", "c0ffee00c0ffee00", "handshake failure",
         "no suitable signature algorithm"),
    ),
    ids=("wrong key 1.2", "wrong key 1.3", "nobody 1.2", "nobody 1.3"),
)
def test_psk_refused(server, tmp_path, version, identity, key, alert, log):
    (tmp_path / "psk").write_text("sensor:c0ffee00c0ffee00\n")
    server.start(f"psk_file {tmp_path}/psk\n")
    got = s_client(server, version, "-psk_identity", identity, "-psk", key)
    assert f"alert {alert}" in got.stderr.decode()
    assert server.logged(f"TLS: {log}")
    server.silent()


@needs_ktls
def test_psk_that_is_not_used_proves_nothing(server, pki, tmp_path):
    """It is named, but its hash doesn't go with the cipher: the certificate is used."""
    (tmp_path / "psk").write_text("sensor:c0ffee00c0ffee00\n")
    server.start(pki.agent() + f"psk_file {tmp_path}/psk\nuse_identity_as_username true\n")
    with s_client_runs(server, "-tls1_3", "-ciphersuites", "TLS_AES_256_GCM_SHA384",
                       "-psk_identity", "sensor", "-psk", "c0ffee00c0ffee00"):
        told = server.told()
    assert (told["has_user"], told["user"], told["subject"]) == (True, "", "")


SUBJECT = r"CN=device 1,O=M\C3\BCller\, S\C3\B6hne,C=DE"


@needs_ktls
@pytest.mark.parametrize("version", (TLS12, TLS13))
@pytest.mark.parametrize(
    "options,user",
    (
        ("", None),
        ("use_identity_as_username true\n", "device 1"),
        ("use_subject_as_username true\n", SUBJECT),
    ),
    ids=("none", "name", "subject"),
)
def test_client_certificate(server, pki, version, options, user):
    server.start(pki.wants_clients() + options)
    with Client(pki, version, cert="client").connect(server) as sock:
        told = server.told()
        assert told["subject"] == SUBJECT
        assert (told["has_user"], told["user"]) == (user is not None, user or "")
        echoes(sock)


@needs_ktls
def test_identity_is_demanded_and_there_is_none(server, pki):
    server.start(pki.agent() + "use_identity_as_username true\n")
    with Client(pki).connect(server) as sock:
        told = server.told()
        assert (told["has_user"], told["user"], told["subject"]) == (True, "", "")
        echoes(sock)


def refused(server, pki, version, cert=None, **options):
    """The alert that the client gets, in whichever step it does."""
    try:
        with Client(pki, version, cert=cert, **options).connect(server) as sock:
            sock.recv(1)
    except ssl.SSLError as error:
        return error.reason or str(error)
    return None


PAST = ("-startdate", "20200101000000Z", "-enddate", "20210101000000Z")


@pytest.fixture(scope="module")
def bad(pki, tmp_path_factory):
    """Certificates that nobody should be let in with."""
    pki.issue("expired", "/CN=expired", *PAST)
    pki.issue("revoked", "/CN=revoked")
    pki.revoke("revoked")
    stranger = Authority(tmp_path_factory.mktemp("stranger") / "ca", "Another CA")
    stranger.issue("stranger", "/CN=stranger")
    for kind in ("pem", "key"):
        (pki.path / f"stranger.{kind}").write_bytes(
            (stranger.path / f"stranger.{kind}").read_bytes())
    (pki.path / "another.pem").write_bytes((stranger.path / "ca.pem").read_bytes())
    return pki


@pytest.mark.parametrize("version", (TLS12, TLS13))
@pytest.mark.parametrize(
    "cert,alert,log",
    (
        ("expired", "SSLV3_ALERT_CERTIFICATE_EXPIRED", "certificate has expired"),
        ("revoked", "SSLV3_ALERT_CERTIFICATE_REVOKED", "certificate revoked"),
        ("stranger", "TLSV1_ALERT_UNKNOWN_CA", "unable to get local issuer certificate"),
        (None, {TLS12: "SSLV3_ALERT_HANDSHAKE_FAILURE",
                TLS13: "TLSV13_ALERT_CERTIFICATE_REQUIRED"},
         "peer did not return a certificate"),
    ),
    ids=("expired", "revoked", "stranger", "none"),
)
def test_certificate_refused(server, bad, version, cert, alert, log):
    server.start(bad.wants_clients() + f"crlfile {bad.file('crl.pem')}\n")
    if isinstance(alert, dict):
        alert = alert[version]
    assert refused(server, bad, version, cert) == alert
    assert server.logged(f"TLS: {log}")
    server.silent()


@pytest.fixture(scope="module")
def dated(bad, tmp_path_factory):
    """The same, one whose time is yet to come, one by an authority whose time is over, and a list
    of who is revoked that is too old."""
    bad.issue("early", "/CN=early", "-startdate", "20480101000000Z", "-enddate", "20490101000000Z")
    bad.openssl("ca", "-config", "conf", "-cert", "ca.pem", "-keyfile", "ca.key", "-gencrl",
                "-crl_lastupdate", PAST[1], "-crl_nextupdate", PAST[3], "-out", "old-crl.pem")
    old = Authority(tmp_path_factory.mktemp("old") / "ca", "Old CA")
    (old.path / "ext").write_text("basicConstraints=critical,CA:TRUE\n")
    old.openssl("req", "-new", "-key", "ca.key", "-subj", "/CN=Old CA", "-out", "ca.csr")
    old.openssl("ca", "-batch", "-notext", "-config", "conf", "-selfsign", "-keyfile", "ca.key",
                "-in", "ca.csr", "-extfile", "ext", "-out", "ca.pem", "-preserveDN", *PAST)
    old.issue("left", "/CN=left")
    for kind in ("pem", "key"):
        (bad.path / f"left.{kind}").write_bytes((old.path / f"left.{kind}").read_bytes())
    authorities = [(one.path / "ca.pem").read_text() for one in (bad, old)]
    (bad.path / "both.pem").write_text("".join(authorities))
    return bad


ANY_DATE = "disable_client_cert_date_checks true\n"


@needs_ktls
@pytest.mark.parametrize("version", (TLS12, TLS13))
@pytest.mark.parametrize("cert", ("expired", "early", "left"))
def test_any_date(server, dated, version, cert):
    """Of a certificate or its authority; and a ticket is as good as the certificate."""
    agent = dated.agent() + f"cafile {dated.file('both.pem')}\nrequire_certificate true\n"
    server.start(agent + ANY_DATE)
    client = Client(dated, version, cert=cert)
    with client.connect(server) as sock:
        assert server.told()["subject"] == f"CN={cert}"
        echoes(sock)
        session = sock.session
    with client.connect(server, session=session) as sock:
        assert sock.session_reused
        assert server.told()["subject"] == f"CN={cert}"
        echoes(sock)
    server.reload(agent)
    assert refused(server, dated, version, cert) == \
        ("SSLV3_ALERT_BAD_CERTIFICATE" if cert == "early" else "SSLV3_ALERT_CERTIFICATE_EXPIRED")
    assert server.logged("TLS: certificate is not yet valid" if cert == "early" else
                         "TLS: certificate has expired")


@pytest.mark.parametrize("version", (TLS12, TLS13))
def test_any_date_is_all(server, dated, version):
    """Who is refused for something else is refused; so is everybody by a list that is too old."""
    agent = dated.wants_clients() + ANY_DATE
    server.start(agent + f"crlfile {dated.file('crl.pem')}\n")
    for cert, alert, log in (
            ("revoked", "SSLV3_ALERT_CERTIFICATE_REVOKED", "certificate revoked"),
            ("stranger", "TLSV1_ALERT_UNKNOWN_CA", "unable to get local issuer certificate")):
        assert refused(server, dated, version, cert) == alert
        assert server.logged(f"TLS: {log}")
    server.reload(agent + f"crlfile {dated.file('old-crl.pem')}\n")
    for cert in ("client", "expired"):
        assert refused(server, dated, version, cert) == "SSLV3_ALERT_CERTIFICATE_EXPIRED"
    assert server.logged("TLS: CRL has expired")
    server.silent()


@needs_ktls
@pytest.mark.parametrize("version", (TLS12, TLS13))
def test_certificate_is_revoked_meanwhile(server, pki, version):
    """From the next SIGHUP on it is worth nothing, with a ticket or without; whoever is in
    stays in."""
    name = f"leaving{version.name}"
    pki.issue(name, f"/CN={name}")
    server.start(pki.wants_clients() + f"crlfile {pki.file('crl.pem')}\n")
    client = Client(pki, version, cert=name)
    with client.connect(server) as old:
        assert server.told()["subject"] == f"CN={name}"
        echoes(old)
        session = old.session
        pki.revoke(name)
        server.reload()
        assert refused(server, pki, version, name) == "SSLV3_ALERT_CERTIFICATE_REVOKED"
        assert server.logged("TLS: certificate revoked")
        with pytest.raises(ssl.SSLError, match="certificate revoked"):
            with client.connect(server, session=session) as sock:
                sock.recv(1)
        server.silent()
        with Client(pki, version, cert="client").connect(server) as other:
            assert server.told()["subject"] == SUBJECT
            echoes(other)
        echoes(old)


@needs_ktls
@pytest.mark.parametrize("version", (TLS12, TLS13))
def test_directory_of_authorities(server, bad, tmp_path, version):
    """Whom one of them has signed for is let in."""
    authorities = tmp_path / "authorities"
    authorities.mkdir()

    def add(name):
        (authorities / name).write_bytes((bad.path / name).read_bytes())
        subprocess.run(["openssl", "rehash", authorities], check=True)

    add("ca.pem")
    server.start(bad.agent() + f"capath {authorities}\nrequire_certificate true\n")
    with Client(bad, version, cert="client").connect(server) as sock:
        assert server.told()["subject"] == SUBJECT
        echoes(sock)
    assert refused(server, bad, version, "stranger") == "TLSV1_ALERT_UNKNOWN_CA"
    assert server.logged("TLS: unable to get local issuer certificate")
    server.silent()
    add("another.pem")
    server.reload()
    with Client(bad, version, cert="stranger").connect(server) as sock:
        assert server.told()["subject"] == "CN=stranger"
        echoes(sock)


@needs_ktls
@pytest.mark.parametrize("subject,new,log", (
    ("/CN=nul0name", b"nul\0name", "the name is not UTF-8"),
    ("/CN=" + "x" * 64, None, None),
), ids=("zero", "long"))
def test_names(server, pki, subject, new, log):
    pki.issue("name", subject)
    if new:
        pki.change_name("name", subject[4:].encode(), new)
    server.start(pki.wants_clients() + "use_identity_as_username true\n")
    if not log:
        with Client(pki, cert="name").connect(server):
            assert server.told()["user"] == subject[4:]
        return
    assert refused(server, pki, TLS13, "name") == "TLSV1_ALERT_ACCESS_DENIED"
    assert server.logged(log)
    server.silent()


@needs_ktls
def test_name_too_long(server, pki):
    parts = "".join(f"/OU={i}{'x' * 60}" for i in range(5))
    pki.issue("long", "/CN=long" + parts)
    server.start(pki.wants_clients() + "use_subject_as_username true\n")
    assert refused(server, pki, TLS13, "long") == "TLSV1_ALERT_ACCESS_DENIED"
    assert server.logged("too long for a user")


@needs_ktls
def test_broker_does_not_want_it(server, pki):
    pki.issue("banned", "/CN=banned")
    server.start(pki.wants_clients() + "use_identity_as_username true\n")
    with Client(pki, cert="banned").connect(server) as sock:
        assert ended(sock)
    assert server.logged("the broker does not take it: banned")


@pytest.mark.parametrize("version", (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1))
def test_old_versions(server, pki, version):
    server.start(pki.agent())
    assert refused(server, pki, version, ciphers="ALL:@SECLEVEL=0") == (
        "TLSV1_ALERT_PROTOCOL_VERSION")
    assert server.logged("unsupported protocol")


def test_tls13_only(server, pki):
    server.start(pki.agent() + "tls_version tlsv1.3\n")
    assert refused(server, pki, TLS12) == "TLSV1_ALERT_PROTOCOL_VERSION"
    assert server.logged("TLS: unsupported protocol")
    server.silent()


def test_no_shared_cipher(server, pki):
    """What the kernel can't do is not done, even if nothing else is offered."""
    server.start(pki.agent())
    assert refused(server, pki, TLS12, ciphers="ECDHE-ECDSA-AES128-SHA") == (
        "SSLV3_ALERT_HANDSHAKE_FAILURE")
    assert server.logged("no shared cipher")


@needs_ktls
@pytest.mark.parametrize("version", (TLS12, TLS13))
def test_configured_ciphers(server, pki, version):
    server.start(pki.agent() + "ciphers ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-GCM-SHA384\n"
                 "ciphers_tls1.3 TLS_AES_128_CCM_SHA256:TLS_CHACHA20_POLY1305_SHA256\n")
    with Client(pki, version).connect(server) as sock:
        assert server.told()["cipher"] == {
            TLS12: "ECDHE-ECDSA-AES256-GCM-SHA384",
            TLS13: "TLS_CHACHA20_POLY1305_SHA256",
        }[version]
        echoes(sock)


@needs_ktls
def test_dh_parameters(server, pki, rsa, tmp_path):
    """Those of the file are used, and not what OpenSSL would take by itself."""
    file = tmp_path / "dh"
    pki.openssl("genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048",
                "-out", file)
    pem = file.read_text().replace("DH PARAMETERS", "CERTIFICATE")
    _, numbers, _ = der_read(ssl.PEM_cert_to_DER_cert(pem.strip()))
    _, prime, _ = der_read(numbers)
    prime = prime.lstrip(b"\0")
    assert len(prime) == 256

    def primes(agent):
        """Does the server say this one?"""
        server.reload(agent)
        client = Client(pki, TLS12, ciphers="DHE-RSA-AES128-GCM-SHA256")
        client.context.load_verify_locations(pki.file(f"{rsa}.pem"))
        messages = []
        # It isn't documented, but there is no other way to see them.
        client.context._msg_callback = lambda *args: messages.append(bytes(args[5]))
        with client.connect(server) as sock:
            assert server.told()["cipher"] == "DHE-RSA-AES128-GCM-SHA256"
            echoes(sock)
        exchange = [message for message in messages if message[:1] == b"\x0c"]
        assert len(exchange) == 1
        # The length of a number is in front of it.
        return exchange[0][4:6] == b"\1\0" and exchange[0][6:262] == prime

    server.start(pki.agent(rsa))
    assert not primes(pki.agent(rsa))
    assert primes(pki.agent(rsa) + f"dhparamfile {file}\n")


@needs_ktls
def test_alpn(server, pki):
    server.start(pki.agent())
    with Client(pki, alpn=["x", "mqtt"]).connect(server) as sock:
        assert sock.selected_alpn_protocol() == "mqtt"
        echoes(sock)


def test_alpn_refused(server, pki):
    server.start(pki.agent())
    # Python has no name for it.
    assert "alert no application protocol" in refused(server, pki, TLS13, alpn=["h2"])


@needs_ktls
@pytest.mark.parametrize("version", (TLS12, TLS13))
def test_resumption(server, pki, version):
    """Who comes back with a ticket is who it was, until certificates are loaded anew."""
    server.start(pki.wants_clients() + "use_identity_as_username true\n")
    client = Client(pki, version, cert="client")
    with client.connect(server) as sock:
        assert not sock.session_reused
        echoes(sock)
        session = sock.session
        first = server.told()
    with client.connect(server, session=session) as sock:
        assert sock.session_reused
        assert server.told() == first
        echoes(sock, b"a" * 50000)
        session = sock.session
    server.reload()
    with client.connect(server, session=session) as sock:
        assert not sock.session_reused
        assert server.told() == first
        echoes(sock)


@pytest.mark.parametrize("version", (TLS12, TLS13))
def test_resumption_is_over(server, pki, version):
    """A ticket doesn't outlive the certificate that it stands for."""
    server.start(pki.wants_clients())
    over = time.time() + 4 * SCALE
    name = f"brief{version.name}"
    pki.issue(name, f"/CN={name}", "-startdate", "20200101000000Z", "-enddate",
              time.strftime("%Y%m%d%H%M%SZ", time.gmtime(over)))
    client = Client(pki, version, cert=name)

    def comes(session):
        """Without TLS in the kernel it doesn't get further, but it gets a ticket."""
        with client.connect(server, session=session) as sock:
            with contextlib.suppress(TimeoutError):
                sock.settimeout(0.3 * SCALE)
                sock.recv(1)
            return sock.session, sock.session_reused

    session, reused = comes(None)
    assert not reused
    session, reused = comes(session)
    assert reused
    time.sleep(max(0, over + 1.5 - time.time()))
    with pytest.raises(ssl.SSLError, match="certificate expired"):
        comes(session)
    assert server.logged("TLS: certificate has expired")


@needs_ktls
def test_reload(server, pki):
    """New ones see another certificate, nobody is disconnected, a broken file changes nothing."""
    pki.issue("second", "/CN=second")
    server.start(pki.agent())
    with Client(pki).connect(server) as old:
        assert old.getpeercert()["subject"] == ((("commonName", "localhost"),),)
        assert server.told()["tls"]
        assert server.reload(pki.agent("second"))["open"] == 1
        with Client(pki).connect(server) as new:
            assert new.getpeercert()["subject"] == ((("commonName", "second"),),)
            assert server.told()["tls"]
            (pki.path / "second.pem").write_text("nothing\n")
            assert server.reload()["open"] == 1
            assert server.logged("goes on as before: certfile: ")
            with Client(pki).connect(server) as newer:
                assert newer.getpeercert()["subject"] == ((("commonName", "second"),),)
                assert server.told()["tls"]
                echoes(newer)
            echoes(new)
        echoes(old)
        # Other settings that are wrong: nobody is let in with those that were.
        assert server.reload(pki.agent("second") + "tls_version tlsv1.3\n")["open"] == 0
        with pytest.raises(ConnectionRefusedError):
            server.connect()
        assert server.reload(pki.agent())["open"] == 1
        with Client(pki).connect(server) as new:
            echoes(new)
        echoes(old)


@needs_ktls
def test_data_with_the_handshake(server, pki):
    """What a client sends in the same segment as its last message is not lost."""
    server.start(pki.agent())
    for version in ("-tls1_2", "-tls1_3"):
        with s_client_runs(server, version):
            assert server.told()["tls"]


@pytest.mark.parametrize("version", ("-tls1_2", "-tls1_3"))
def test_short_records(server, pki, version):
    """Who can't take the kernel's records is told at the beginning."""
    server.start(pki.agent())
    got = s_client(server, version, "-maxfraglen", "1024")
    assert b"alert handshake failure" in got.stderr
    assert server.logged("TLS: max_fragment_length")
    server.silent()


@needs_ktls
def test_client_goes_away(server, pki):
    """It has closed the connection by the time that the handshake is done."""
    server.start(pki.agent())
    for version in ("-tls1_2", "-tls1_3"):
        s_client(server, version, data=b"")
    with Client(pki).connect(server) as sock:
        echoes(sock)

def test_no_tls(server, pki):
    server.start(pki.agent())
    for data in (b"GET / HTTP/1.1\r\n\r\n", b"\x10\x0c\0\4MQTT\4\2\0\0\0\0", b"\x16\3\1\xff\xff"):
        with server.connect() as sock:
            sock.sendall(data)
            assert ended(sock)
    assert server.logged("TLS: this is not TLS")


def test_certificates_too_long(server, pki):
    """A client's certificates may be long, but not as long as it likes."""
    chain = pki.path / "chain.pem"
    ca = (pki.path / "ca.pem").read_bytes()
    chain.write_bytes((pki.path / "client.pem").read_bytes() + ca * 100)
    (pki.path / "chain.key").write_bytes((pki.path / "client.key").read_bytes())
    server.start(pki.wants_clients())
    assert refused(server, pki, TLS12, "chain")
    assert server.logged("excessive message size")


def test_too_much_data(server, pki):
    """A message that is not too long, in records that are, together."""
    server.start(pki.agent() + "kmqtt_handshake_timeout 300\n")
    message = b"\1\0\x3f\xfc\3\3" + b"x" * 0x3ffa
    with server.connect() as sock:
        with contextlib.suppress(ConnectionError):
            sock.sendall(b"".join(b"\x16\3\1\0\1%c" % byte for byte in message))
        assert ended(sock)
    assert server.logged("TLS: too much data")


def test_no_kernel_tls_is_told(server, pki):
    """Without it, that is what the log says, and nothing is handed over."""
    if KTLS:
        pytest.skip("this kernel has it")
    server.start(pki.agent())
    with Client(pki).connect(server) as sock:
        assert ended(sock)
    assert server.logged("no TLS in the kernel")


def test_time_limit(server, pki):
    server.start(pki.agent() + "kmqtt_handshake_timeout 1\n")
    with server.connect() as sock:
        sock.sendall(b"\x16")
        begin = time.monotonic()
        assert ended(sock)
        assert 0.5 < time.monotonic() - begin < 3 * SCALE
    assert server.logged("TLS: it took too long")
