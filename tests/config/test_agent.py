# SPDX-License-Identifier: GPL-2.0
"""TLS, WebSockets and the PROXY protocol: what the agent of a listener gets to know."""

import json
import shutil
import subprocess

import pytest

from conftest import CTL

CERT = "certfile c\nkeyfile k\n"
CERTS = "cafile a\n" + CERT
REQUIRE = CERTS + "require_certificate true\n"


def openssl(where, *args):
    subprocess.run(["openssl", *args], cwd=where, check=True, capture_output=True)


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    """An authority a with its key b and its list r of what is revoked, a certificate c, key k of
    both c and d, parameters h, keys p and q, and an empty directory."""
    path = tmp_path_factory.mktemp("made")
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(path, "req", "-x509", *key, "-keyout", "b", "-out", "a", "-subj", "/CN=a")
    openssl(path, "req", "-x509", *key, "-keyout", "k", "-out", "c", "-subj", "/CN=c")
    openssl(path, "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", "group:ffdhe2048",
            "-out", "h")
    (path / "index").write_text("")
    (path / "ca.conf").write_text("[ca]\ndefault_ca=d\n[d]\ndatabase=index\ndefault_md=sha256\n"
                                  "default_crl_days=10\n")
    openssl(path, "ca", "-config", "ca.conf", "-cert", "a", "-keyfile", "b", "-gencrl",
            "-out", "r")
    for name in "p", "q":
        (path / name).write_text("one:001122\n")
    (path / "d").mkdir()
    return path


@pytest.fixture
def files(conf, made):
    shutil.copytree(made, conf.path, dirs_exist_ok=True)
    return conf


def agents(conf, main, notes=()):
    """What each listener's agent has to know, or None without one."""
    return [one.get("agent") and one["agent"].replace(f"{conf.path}/", "@")
            for one in conf.good(main, notes)["listeners"]]


# What stands behind a listener; what the agent gets to know.
GOOD = (
    ("", None),
    ("protocol mqtt\n", None),
    ("protocol websockets\nprotocol mqtt\n", None),
    ("require_certificate false\nuse_identity_as_username 0\nuse_subject_as_username false\n",
     None),
    ("tls_keyform pem\nproxy_protocol_v2_require_tls false\n"
     "disable_client_cert_date_checks false\n", None),
    (CERT, "certfile @c\nkeyfile @k\n"),
    ("keyfile k\ncertfile c\n", "certfile @c\nkeyfile @k\n"),
    ("certfile d/../c\nkeyfile k\n", "certfile @d/../c\nkeyfile @k\n"),
    (CERT + "capath /\n", "capath /\ncertfile @c\nkeyfile @k\n"),
    ("keyfile p\nkeyfile k\ncertfile c\n", "certfile @c\nkeyfile @k\n"),
    (CERTS, "cafile @a\ncertfile @c\nkeyfile @k\n"),
    (CERT + "capath d\nrequire_certificate true\n",
     "capath @d\ncertfile @c\nkeyfile @k\nrequire_certificate true\n"),
    (REQUIRE + "crlfile r\n",
     "cafile @a\ncertfile @c\ncrlfile @r\nkeyfile @k\nrequire_certificate true\n"),
    (REQUIRE + "require_certificate 0\n", "cafile @a\ncertfile @c\nkeyfile @k\n"),
    (REQUIRE + "disable_client_cert_date_checks true\n",
     "cafile @a\ncertfile @c\ndisable_client_cert_date_checks true\nkeyfile @k\n"
     "require_certificate true\n"),
    (REQUIRE + "use_identity_as_username 1\n",
     "cafile @a\ncertfile @c\nkeyfile @k\nrequire_certificate true\n"
     "use_identity_as_username true\n"),
    (REQUIRE + "use_subject_as_username true # the whole\n",
     "cafile @a\ncertfile @c\nkeyfile @k\nrequire_certificate true\n"
     "use_subject_as_username true\n"),
    (CERT + "tls_version tlsv1.2\nciphers  AESGCM:CHACHA20 \n"
     "ciphers_tls1.3 TLS_AES_128_GCM_SHA256\ndhparamfile h\n",
     "certfile @c\nciphers AESGCM:CHACHA20\nciphers_tls1.3 TLS_AES_128_GCM_SHA256\n"
     "dhparamfile @h\nkeyfile @k\ntls_version tlsv1.2\n"),
    (CERT + "tls_version tlsv1.3\n", "certfile @c\nkeyfile @k\ntls_version tlsv1.3\n"),
    ("psk_file p\n", "psk_file @p\n"),
    ("psk_file p\npsk_hint who are you?\nuse_identity_as_username true\nciphers PSK\n"
     "tls_version tlsv1.2\n",
     "ciphers PSK\npsk_file @p\npsk_hint who are you?\ntls_version tlsv1.2\n"
     "use_identity_as_username true\n"),
    ("protocol websockets\n", "protocol websockets\n"),
    ("protocol websockets\nwebsockets_origin http://b:8080\nwebsockets_origin http://a\n",
     "protocol websockets\nwebsockets_origin http://b:8080\nwebsockets_origin http://a\n"),
    ("websockets_origin x\n" * 64 + "protocol websockets\n",
     "protocol websockets\n" + "websockets_origin x\n" * 64),
    (CERT + "protocol websockets\n", "certfile @c\nkeyfile @k\nprotocol websockets\n"),
    ("enable_proxy_protocol 1\n", "enable_proxy_protocol 1\n"),
    ("enable_proxy_protocol 1\nenable_proxy_protocol 2\n", "enable_proxy_protocol 2\n"),
    ("proxy_protocol_v2_require_tls 1\nenable_proxy_protocol 2\n",
     "enable_proxy_protocol 2\nproxy_protocol_v2_require_tls true\n"),
    ("enable_proxy_protocol 1\nproxy_protocol_v2_require_tls true\n"
     "proxy_protocol_v2_require_tls false\n", "enable_proxy_protocol 1\n"),
    (CERT + "enable_proxy_protocol 2\nprotocol websockets\n",
     "certfile @c\nenable_proxy_protocol 2\nkeyfile @k\nprotocol websockets\n"),
    ("protocol websockets\nkmqtt_handshake_timeout 3600\nkmqtt_max_handshakes 65536\n"
     "kmqtt_max_handshakes_per_source 1\n",
     "protocol websockets\nkmqtt_handshake_timeout 3600\nkmqtt_max_handshakes 65536\n"
     "kmqtt_max_handshakes_per_source 1\n"),
)


@pytest.mark.parametrize("lines, want", GOOD)
def test_good(files, lines, want):
    assert agents(files, f"listener 8883\n{lines}listener 8884\n") == [want, None]
    for main in (f"port 8883\n{lines}", f"listener 8883\n{lines}max_qos 1\n"):
        assert agents(files, main) == [want]


@pytest.mark.parametrize("lines, want", [one for one in GOOD if one[1]])
def test_round_trip(files, lines, want):
    """What save writes behind a listener is what the kernel keeps: it comes out the same."""
    first = files.good(f"listener 8883\n{lines}")["listeners"]
    assert files.good(f"listener 8883\n{first[0]['agent']}")["listeners"] == first


def test_each_address(files):
    got = files.good(f"{CERT}allow_anonymous false\n")["listeners"]
    assert [one["address"] for one in got] == ["127.0.0.1", "::1"]
    assert got[0]["agent"] == got[1]["agent"]


def test_default_listener(files):
    assert agents(files, CERT + "port 8883\n") == ["certfile @c\nkeyfile @k\n"]
    files.bad(CERT + "listener 8883\n",
              "main.conf:1: this is about a listener, but does not stand behind the line of one")


@pytest.mark.parametrize("lines, errors", [
    ("certfile c\n", ["2: certfile needs keyfile"]),
    ("keyfile k\n", ["2: keyfile needs certfile"]),
    ("certfile c\ncafile a\n", ["2: certfile needs keyfile"]),
    ("cafile a\n", ["2: cafile: the listener has no certfile and keyfile"]),
    ("capath d\n", ["2: capath: the listener has no certfile and keyfile"]),
    ("crlfile r\n", ["2: crlfile: the listener has no certfile and keyfile"]),
    ("dhparamfile p\n", ["2: dhparamfile: the listener has no certfile and keyfile"]),
    ("require_certificate true\n",
     ["2: require_certificate: the listener has no certfile and keyfile"]),
    ("disable_client_cert_date_checks true\n",
     ["2: disable_client_cert_date_checks: the listener has no certfile and keyfile"]),
    ("psk_file p\nrequire_certificate true\n",
     ["3: require_certificate: the listener has no certfile and keyfile"]),
    ("psk_file p\nuse_subject_as_username true\n",
     ["3: use_subject_as_username: the listener has no certfile and keyfile"]),
    (CERT + "require_certificate true\n", ["4: require_certificate needs cafile or capath"]),
    *((f"{line}\n", [f"2: {line.split()[0]}: the listener has no certfile and keyfile, and no "
                     "psk_file"])
      for line in ("tls_version tlsv1.2", "ciphers A", "ciphers_tls1.3 A",
                   "use_identity_as_username true")),
    ("enable_proxy_protocol 2\nuse_identity_as_username true\n",
     ["3: use_identity_as_username: the listener has no certfile and keyfile, and no psk_file"]),
    ("psk_hint h\n", ["2: psk_hint needs psk_file"]),
    (CERT + "psk_file p\n", ["4: psk_file: not together with certfile"]),
    ("psk_file p\npsk_hint h\n" + CERT,
     ["2: psk_file: not together with certfile", "3: psk_hint: not together with certfile"]),
    (REQUIRE + "use_identity_as_username true\nuse_subject_as_username true\n",
     ["7: use_subject_as_username: not together with use_identity_as_username"]),
    *((CERT + f"tls_version {version}\n",
       [f"4: tls_version is tlsv1.2 or tlsv1.3, not '{version}': the kernel knows no other"])
      for version in ("tlsv1.1", "tlsv1", "sslv3", "TLSv1.2", "1.3")),
    ("websockets_origin http://a\n",
     ["2: websockets_origin: the listener has no protocol websockets"]),
    (CERT + "protocol mqtt\nwebsockets_origin a\n",
     ["5: websockets_origin: the listener has no protocol websockets"]),
    ("protocol websockets\n" + "websockets_origin a\n" * 66,
     ["67: more than 64 of websockets_origin"]),
    ("protocol http_api\n", ["2: protocol http_api: there is no HTTP but for WebSockets"]),
    ("protocol mqttsn\n", ["2: protocol is mqtt or websockets, not 'mqttsn'"]),
    ("protocol\n", ["2: protocol needs a value"]),
    ("protocol websockets mqtt\n", ["2: 'mqtt' is one word too many"]),
    *((f"enable_proxy_protocol {value}\n",
       ["2: enable_proxy_protocol is out of range: 1 to 2"]) for value in (0, 3, -1)),
    ("proxy_protocol_v2_require_tls true\n",
     ["2: proxy_protocol_v2_require_tls needs enable_proxy_protocol"]),
    ("enable_proxy_protocol 1\nproxy_protocol_v2_require_tls true\n",
     ["3: proxy_protocol_v2_require_tls: only with version 2 of enable_proxy_protocol"]),
    ("enable_proxy_protocol true\n", ["2: enable_proxy_protocol is a number, not 'true'"]),
    *((f"{name} 1\n", [f"2: {name}: the listener has no TLS, WebSockets or PROXY protocol"])
      for name in ("kmqtt_handshake_timeout", "kmqtt_max_handshakes",
                   "kmqtt_max_handshakes_per_source")),
    ("protocol websockets\nkmqtt_handshake_timeout 3601\nkmqtt_max_handshakes 0\n"
     "kmqtt_max_handshakes_per_source 65537\n",
     ["3: kmqtt_handshake_timeout is out of range: 1 to 3600",
      "4: kmqtt_max_handshakes is out of range: 1 to 65536",
      "5: kmqtt_max_handshakes_per_source is out of range: 1 to 65536"]),
    ("require_certificate maybe\n", ["2: require_certificate is true or false, not 'maybe'"]),
    # What isn't there is wrong by itself, and nothing else is because of it.
    ("certfile none\nkeyfile d\ncafile /none/a\n",
     ["2: certfile none: No such file or directory", "3: keyfile d: this is a directory",
      "4: cafile /none/a: No such file or directory"]),
    (CERT + "capath c\n", ["4: capath c: Not a directory"]),
    ("psk_file none\n", ["2: psk_file none: No such file or directory"]),
    ("certfile\n", ["2: certfile needs a value"]),
    ("kmqtt_mptcp true\n" + CERT, ["3: certfile: not together with kmqtt_mptcp",
                                   "4: keyfile: not together with kmqtt_mptcp"]),
    ("protocol websockets\nkmqtt_mptcp true\n", ["2: protocol: not together with kmqtt_mptcp"]),
    (CERT + f"ciphers {'x' * 8192}\n",
     ["1: the options for TLS, WebSockets and PROXY protocol have more than 8192 bytes"]),
])
def test_bad(files, lines, errors):
    files.bad(f"listener 8883\n{lines}", *(f"main.conf:{error}" for error in errors))


@pytest.mark.parametrize("lines, error", [
    ("certfile k\nkeyfile k\n", "2: certfile: @k: no start line"),
    ("certfile c\nkeyfile c\n", "3: keyfile: @c: nothing of this kind is in it"),
    ("certfile c\nkeyfile b\n", "3: keyfile: @b: key values mismatch"),
    ("keyfile sealed\ncertfile c\n",
     "2: keyfile: @sealed: it is encrypted, and nobody is asked for the password"),
    (CERT + "cafile k\n", "4: cafile: @k: no certificate or crl found"),
    (REQUIRE + "crlfile c\n", "6: crlfile: @c: no start line"),
    (CERT + "dhparamfile c\n", "4: dhparamfile: @c: nothing of this kind is in it"),
    (CERT + "ciphers NONE\n", "4: ciphers: NONE: no cipher match"),
    (CERT + "ciphers CBC\n",
     "4: ciphers: none of AES-GCM and ChaCha20-Poly1305, which the kernel needs"),
    (CERT + "ciphers_tls1.3 NONE\n", "4: ciphers_tls1.3: NONE: no cipher match"),
    (CERT + "ciphers_tls1.3 TLS_AES_128_CCM_SHA256\n",
     "4: ciphers_tls1.3: none of AES-GCM and ChaCha20-Poly1305, which the kernel needs"),
    ("psk_file c\n", "2: psk_file: @c:1: not of the form identity:key"),
])
def test_contents(files, lines, error):
    """What the agent couldn't work with is told before it gets it, by the same words."""
    openssl(files.path, "ec", "-in", "k", "-aes128", "-passout", "pass:x", "-out", "sealed")
    files.bad(f"listener 8883\n{lines}", f"main.conf:{error.replace('@', f'{files.path}/')}")


def test_contents_of_each(files):
    """What is wrong elsewhere keeps no listener's files from being looked at."""
    files.bad("listener 1\ncertfile c\nkeyfile b\n"
              "listener 2\ncertfile b\nkeyfile c\n"
              "listener 3\ncertfile a\n"
              "listener 4\ncertfile a\nkeyfile none\n"
              "listener 5\ncertfile a\nkeyfile k\nmax_inflight_bytes x\n",
              "main.conf:11: keyfile none: No such file or directory",
              "main.conf:15: max_inflight_bytes is a number, not 'x'",
              f"main.conf:3: keyfile: {files.path}/b: key values mismatch",
              f"main.conf:5: certfile: {files.path}/b: no start line",
              "main.conf:8: certfile needs keyfile",
              f"main.conf:14: keyfile: {files.path}/k: key values mismatch")


@pytest.mark.parametrize("place", ["listener 0 /run/x", "kmqtt_vsock_listener 1"])
def test_other_places(files, place):
    files.bad(f"{place}\n{CERT}enable_proxy_protocol 1\nprotocol websockets\n",
              *(f"main.conf:{line}: {name}: only for listeners of TCP"
                for line, name in ((2, "certfile"), (4, "enable_proxy_protocol"),
                                   (3, "keyfile"), (5, "protocol"))))


def test_unreadable(files):
    (files.path / "k").chmod(0)
    files.write("main.conf", f"listener 1\n{CERT}")
    got = subprocess.run(["setpriv", "--bounding-set=-all", "--inh-caps=-all", CTL, "load",
                          "--check", "main.conf"], cwd=files.path, check=False,
                         capture_output=True, timeout=60)
    assert got.stderr == b"main.conf:3: keyfile k: Permission denied\n"


def test_size(files):
    """8192 bytes, with the line's ends."""
    room = 8192 - len("enable_proxy_protocol 1\nprotocol websockets\nwebsockets_origin \n")
    lines = "listener 1\nprotocol websockets\nenable_proxy_protocol 1\nwebsockets_origin "
    assert len(agents(files, lines + "x" * room)[0]) == 8192
    files.bad(lines + "x" * (room + 1),
              "main.conf:1: the options for TLS, WebSockets and PROXY protocol have more than "
              "8192 bytes")


def test_notes(files):
    """Nobody is asked for a certificate that isn't required, as with Mosquitto."""
    for line, so in (("crlfile r", "nobody is asked for a certificate"),
                     ("disable_client_cert_date_checks true",
                      "nobody is asked for a certificate"),
                     ("use_identity_as_username true", "nobody gets in"),
                     ("use_subject_as_username true", "nobody gets in")):
        main = f"listener 1\n{CERTS}{line}\n"
        files.good(main, [f"main.conf:5: note: {line.split()[0]}: without require_certificate, "
                          f"{so}"])
        files.good(main + "require_certificate true\n")
    files.good("listener 1\npsk_file p\nuse_identity_as_username true\n")


def test_keys(files):
    """psk_file is of the listener that it stands behind, and of all that have a psk_hint."""
    hint = "listener {}\npsk_hint h\n"
    own, other = "psk_file @p\npsk_hint h\n", "psk_file @q\npsk_hint h\n"
    assert agents(files, "psk_file p\n" + hint.format(1) + "listener 2\n" + hint.format(3)) == \
        [own, None, own]
    assert agents(files, hint.format(1) + "psk_file p\nlistener 2\n" + hint.format(3)) == \
        [own, None, own]
    assert agents(files, hint.format(1) + "psk_file p\n" + hint.format(2) + "psk_file q\n") == \
        [own, other]
    assert agents(files, "psk_file p\n" + hint.format(1) + "psk_file q\nlistener 2\n" + CERT) == \
        [other, "certfile @c\nkeyfile @k\n"]
    per = "per_listener_settings true\n"
    assert agents(files, per + hint.format(1) + "psk_file p\n" + hint.format(2) + "psk_file q\n") \
        == [own, other]
    files.bad(per + hint.format(1) + "psk_file p\n" + hint.format(2),
              "main.conf:6: psk_hint needs psk_file")
    unused = "psk_file: no listener uses it: psk_hint makes one do so"
    files.bad("psk_file p\nlistener 1\n", f"main.conf:1: {unused}")
    files.bad("psk_file p\n", f"main.conf:1: {unused}")
    files.bad("psk_file p\nlistener 1\n" + CERT, f"main.conf:1: {unused}")


def test_anonymous(files):
    """Behind a proxy at a loopback address clients may be anywhere."""
    for lines, anonymous in ((CERT, True), ("protocol websockets\n", True),
                             ("enable_proxy_protocol 1\n", False)):
        got = files.good(f"listener 1 127.0.0.1\n{lines}")["listeners"]
        assert got[0]["anonymous"] is anonymous
        got = files.good(f"listener 1 127.0.0.1\n{lines}allow_anonymous true\n")["listeners"]
        assert got[0]["anonymous"] is True


@pytest.mark.parametrize("text, says", [
    ("max_qos 1\n", "agent:1: max_qos: nothing that an agent has to know"),
    ("protocol websockets\nlistener 1\n", "agent:2: listener: nothing that an agent has to know"),
    ("kmqtt_max_sessions 1\n", "agent:1: kmqtt_max_sessions: nothing that an agent has to know"),
    ("nonsense 1\n", "agent:1: there is no option 'nonsense'"),
    ("# nothing\n", "agent: there is nothing for an agent"),
    ("protocol mqtt\n", "agent: there is nothing for an agent"),
    ("certfile c\n", "agent:1: certfile needs keyfile"),
    ("psk_file none\n", "agent:1: psk_file none: No such file or directory"),
])
def test_listener_add(files, text, says):
    """The same language in the file that listener add has for it."""
    files.write("agent", text)
    got = subprocess.run([CTL, "listener", "add", "127.0.0.1:1", "agent", "agent"],
                         cwd=files.path, check=False, capture_output=True, timeout=60)
    assert got.stderr.decode().splitlines() == [says]
    assert got.returncode == 2


@pytest.mark.parametrize("args, says", [
    (["unix"], "unix needs a path"),
    (["unix", ""], "'' is not a path of 1 to 107 bytes"),
    (["unix", "/" + "x" * 107], f"'/{'x' * 107}' is not a path of 1 to 107 bytes"),
    (["vsock"], "vsock needs a port"),
    (["vsock", "any"], "'any' is not a number that fits"),
    (["vsock", "4294967295"], "'4294967295' is not a number that fits"),
    (["vsock", "1", "cid"], "cid needs a value"),
    (["vsock", "1", "cid", "-1"], "'-1' is not a number that fits"),
    (["mptcp"], "address needs a value"),
    (["mptcp", "1883"], "'1883' is not an address with a port, as 127.0.0.1:1883, [::1]:1883 or "
                        "*:1883"),
    (["unix", "/x", "agent"], "agent needs a file"),
    (["unix", "/x", "cid"], "'cid' is not a setting of a listener"),
])
def test_arguments(files, args, says):
    got = subprocess.run([CTL, "listener", "add", *args], cwd=files.path, check=False,
                         capture_output=True, timeout=60)
    assert got.stderr.decode().splitlines() == [f"kmqttctl: listener add: {says}",
                                                "Try 'kmqttctl listener --help'."]
    assert (got.returncode, got.stdout) == (2, b"")


def test_options():
    """All that interfaces of the agent name are there, and nothing else is."""
    options = json.loads(subprocess.check_output([CTL, "-j", "load", "--options"]))
    names = {option["name"] for option in options if option["fate"] == "honoured"}
    assert {"cafile", "capath", "certfile", "keyfile", "crlfile", "require_certificate",
            "use_identity_as_username", "use_subject_as_username", "tls_version", "ciphers",
            "ciphers_tls1.3", "dhparamfile", "psk_file", "psk_hint", "protocol",
            "websockets_origin", "enable_proxy_protocol", "kmqtt_handshake_timeout",
            "kmqtt_max_handshakes", "kmqtt_max_handshakes_per_source"} <= names
