# SPDX-License-Identifier: GPL-2.0
"""Password files and ACL files."""

import base64
import subprocess

import pytest

MAIN = "password_file users\nacl_file rules\nlistener 1884\n"


def b64(size):
    return base64.b64encode(bytes(range(size))).decode()


SALT, HASH, SHORT = b64(12), b64(64), b64(32)
SHA512 = f"$6${SALT}${HASH}"
PBKDF2 = f"$7$101${SALT}${HASH}"
SCRAM256 = f"$scram-sha-256$4096${SALT}${SHORT}${SHORT}"
SCRAM512 = f"$scram-sha-512$210000${SALT}${HASH}${HASH}"


def users(conf, text):
    return conf.good(MAIN, users=text, rules="")["realms"][0]["users"]


def rules(conf, text, notes=()):
    return [(rule["kind"], rule.get("user"), rule["access"], rule["topic"]) for rule in
            conf.good(MAIN, notes, users="", rules=text)["realms"][0]["rules"]]


def bad_users(conf, text, *errors):
    conf.bad(MAIN, *(f"users:{error}" for error in errors), users=text, rules="")


def bad_rules(conf, text, *errors):
    conf.bad(MAIN, *(f"rules:{error}" for error in errors), users="", rules=text)


# ----------------------------------------------------------------- users

@pytest.mark.parametrize("password, method, iterations", [
    (SHA512, "sha512", None), (PBKDF2, "pbkdf2-sha512", 101),
    (f"$7$1${b64(64)}${HASH}", "pbkdf2-sha512", 1),
    (f"$7$10000000${b64(1)}${HASH}", "pbkdf2-sha512", 10000000),
    (SCRAM256, "scram-sha-256", 4096), (SCRAM512, "scram-sha-512", 210000),
])
def test_password(conf, password, method, iterations):
    want = {"name": "one", "method": method}
    if iterations:
        want["iterations"] = iterations
    for form in ("one:{}", "one:{}\n", "one:{}\r\n", " one :  {}  \n", "#c\n\n  \none:{}\n#\n"):
        assert users(conf, form.format(password)) == [want]


def test_mosquitto_passwd(conf):
    """What the tool itself makes, of each kind that it can."""
    for user in "one", "two":
        subprocess.run(["mosquitto_passwd", "-b", *(["-c"] if user == "one" else []), "made",
                        user, "secret"], cwd=conf.path, check=True, capture_output=True)
    conf.write("plain", "three:secret\n")
    subprocess.run(["mosquitto_passwd", "-U", "plain"], cwd=conf.path, check=True,
                   capture_output=True)
    got = conf.good("per_listener_settings true\nlistener 1\npassword_file made\n"
                    "listener 2\npassword_file plain\n")["realms"]
    assert [[user["name"] for user in realm["users"]] for realm in got] == \
        [["one", "two"], ["three"]]
    assert {user["method"] for realm in got for user in realm["users"]} == {"pbkdf2-sha512"}


def test_several_of_one(conf):
    got = users(conf, f"one:{SCRAM512}\none:{PBKDF2}\none:{SCRAM256}\n")
    assert [user["method"] for user in got] == ["scram-sha-512", "pbkdf2-sha512", "scram-sha-256"]


def test_names(conf):
    names = ["a", "a b", "ä", "x" * 256, "a#b", "$7$", "%u", "+"]
    got = users(conf, "".join(f"{name}:{SHA512}\n" for name in names))
    assert [user["name"] for user in got] == names
    assert users(conf, f" #a:{SHA512}\n")[0]["name"] == "#a"


PLAIN = "a password in plain text: run mosquitto_passwd -U on the file"


@pytest.mark.parametrize("line, says", [
    ("one", "there is no ':' behind the user name"),
    (f":{SHA512}", "there is no user name"),
    (f"  :{SHA512}", "there is no user name"),
    ("one:", "user 'one': there is no password"),
    ("one: ", "user 'one': there is no password"),
    ("one:secret", f"user 'one': {PLAIN}"),
    (f"one::{SHA512}", f"user 'one': {PLAIN}"),
    ("one:$argon2id$v=19$m=47104,t=1,p=1$c2FsdA$aGFzaA",
     "user 'one': argon2id is not supported: use mosquitto_passwd -H sha512-pbkdf2"),
    ("one:$5$a$b", "user 'one': nothing that mosquitto_passwd makes"),
    ("one:$", "user 'one': nothing that mosquitto_passwd makes"),
    ("one:$6$", "user 'one': the salt is not 1 to 64 bytes in base64"),
    (f"one:$6${SALT}", "user 'one': the salt is not 1 to 64 bytes in base64"),
    (f"one:$6$?${HASH}", "user 'one': the salt is not 1 to 64 bytes in base64"),
    (f"one:$6${b64(65)}${HASH}", "user 'one': the salt is not 1 to 64 bytes in base64"),
    (f"one:$6$${HASH}", "user 'one': the salt is not 1 to 64 bytes in base64"),
    (f"one:$6${SALT}${b64(63)}", "user 'one': the hash is not as long as one, in base64"),
    (f"one:{SHA512}$", "user 'one': the hash is not as long as one, in base64"),
    (f"one:{SHA512}:more", "user 'one': the hash is not as long as one, in base64"),
    (f"one:{SHA512} more", "user 'one': the hash is not as long as one, in base64"),
    (f"one:$7$0${SALT}${HASH}", "user 'one': too few iterations"),
    (f"one:$7$10000001${SALT}${HASH}", "user 'one': more than 10000000 iterations"),
    (f"one:$7$-1${SALT}${HASH}", "user 'one': this is no number of iterations"),
    (f"one:$7${'9' * 50}${SALT}${HASH}", "user 'one': this is no number of iterations"),
    ("one:$7$101", "user 'one': there is no '$' behind the number of iterations"),
    (f"one:$scram-sha-256$4095${SALT}${SHORT}${SHORT}", "user 'one': too few iterations"),
    (f"one:$scram-sha-256$4096${SALT}${HASH}${HASH}",
     "user 'one': the hash is not as long as one, in base64"),
    (f"one:$scram-sha-256$4096${SALT}${SHORT}",
     "user 'one': the hash is not as long as one, in base64"),
    (f"one:$scram-sha-256$4096${SALT}${SHORT}${HASH}",
     "user 'one': the second key is not as long as a hash, in base64"),
    (f"{'x' * 257}:{SHA512}", "the user name has more than 256 bytes"),
    (b"o\x00ne:x", "there is a null byte"),
    (b"\xff:x", "this is not UTF-8"),
], ids=lambda text: repr(text)[:50])
def test_wrong_user(conf, line, says):
    line = line if isinstance(line, bytes) else line.encode()
    bad_users(conf, f"# one\ngood:{SHA512}\n".encode() + line + b"\nlast:plain\n",
              f"3: {says}", f"4: user 'last': {PLAIN}")


def test_duplicates(conf):
    bad_users(conf, f"one:{SHA512}\ntwo:{SHA512}\none:{PBKDF2}\none:{SCRAM256}\n"
              f"two:{SHA512}\none:{SCRAM256}\ntwo:{SHA512}\n",
              "3: user 'one' was in line 1 already", "6: user 'one' was in line 4 already",
              "5: user 'two' was in line 2 already", "7: user 'two' was in line 5 already")


def test_many_users(conf):
    got = users(conf, "".join(f"user{n}:{PBKDF2}\n" for n in range(10000)))
    assert [user["name"] for user in got] == [f"user{n}" for n in range(10000)]


# ----------------------------------------------------------------- rules

@pytest.mark.parametrize("line, access, topic", [
    ("topic a", "readwrite", "a"), ("topic read a", "read", "a"), ("topic write a", "write", "a"),
    ("topic readwrite a", "readwrite", "a"), ("topic deny a", "deny", "a"),
    # A single word is the topic.
    ("topic read", "readwrite", "read"), ("topic deny ", "readwrite", "deny"),
    # Only behind an access may it have blanks in it.
    ("topic read a b", "read", "a b"), ("topic  read   a  b  ", "read", "a  b"),
    ("topic deny read", "deny", "read"), ("  topic a", "readwrite", "a"),
    ("topic #", "readwrite", "#"), ("topic +/a/#", "readwrite", "+/a/#"),
    ("topic $SYS/#", "readwrite", "$SYS/#"), ("topic /", "readwrite", "/"),
    ("topic ä", "readwrite", "ä"), ("topic a#", None, None),
])
def test_topic(conf, line, access, topic):
    if topic is None:
        bad_rules(conf, line, "1: 'a#' has a wildcard that isn't a whole level")
        return
    for end in ("", "\n", "\r\n", "  \n"):
        assert rules(conf, line + end) == [("anonymous", None, access, topic)]


def test_users_of_rules(conf):
    text = "topic a\nuser one\ntopic b\npattern c/%u\ntopic read d\n\n#user x\nuser  two three \n" \
        "topic e\nuser one\ntopic f\n"
    assert rules(conf, text) == [
        ("anonymous", None, "readwrite", "a"), ("user", "one", "readwrite", "b"),
        ("pattern", None, "readwrite", "c/%u"), ("user", "one", "read", "d"),
        ("user", "two three", "readwrite", "e"), ("user", "one", "readwrite", "f")]


@pytest.mark.parametrize("line, says", [
    ("topic", "there is no topic behind 'topic'"),
    ("pattern ", "there is no topic behind 'pattern'"),
    ("user", "there is no name behind 'user'"),
    ("user  ", "there is no name behind 'user'"),
    (f"user {'x' * 257}", "the user name has more than 256 bytes"),
    ("topic a b", "'a' is not read, write, readwrite or deny"),
    ("topic Read a", "'Read' is not read, write, readwrite or deny"),
    ("topics a", "'topics' is not user, topic or pattern"),
    ("topic\ta", "'topic\\x09a' is not user, topic or pattern (tabs don't separate words)"),
    (" # comment", "'#' is not user, topic or pattern"),
    ("topic a/#/b", "'a/#/b' has a # that isn't its end"),
    ("topic read #a", "'#a' has a wildcard that isn't a whole level"),
    ("pattern a+", "'a+' has a wildcard that isn't a whole level"),
    ("topic " + "x" * 8193, f"'{'x' * 80}' has more than 8192 bytes"),
    (b"topic a\x00b", "there is a null byte"),
    (b"topic \xc0\x80", "this is not UTF-8"),
], ids=lambda text: repr(text)[:50])
def test_wrong_rule(conf, line, says):
    line = line if isinstance(line, bytes) else line.encode()
    bad_rules(conf, b"# one\n\n" + line + b"\ntopic a/b\nwrong\n", f"3: {says}",
              "5: 'wrong' is not user, topic or pattern")


def test_longest(conf):
    topic = "x" * 8192
    assert rules(conf, f"topic read {topic}\npattern {topic}\n") == [
        ("anonymous", None, "read", topic), ("pattern", None, "readwrite", topic)]


def test_patterns(conf):
    note = "note: %u and %c stand for a user or client only as a whole level"
    got = rules(conf, "pattern a/%c/%u\npattern %u\npattern a%u/b\npattern %cc\npattern a\n",
                [f"rules:3: {note}", f"rules:4: {note}"])
    assert [rule[3] for rule in got] == ["a/%c/%u", "%u", "a%u/b", "%cc", "a"]


def test_examples_of_mosquitto(conf):
    got = rules(conf, "# Anonymous\ntopic read $SYS/#\n\n# roger\nuser roger\ntopic foo/bar\n\n"
                "# all\npattern write $SYS/broker/connection/%c/state\n")
    assert got == [("anonymous", None, "read", "$SYS/#"), ("user", "roger", "readwrite", "foo/bar"),
                   ("pattern", None, "write", "$SYS/broker/connection/%c/state")]


def test_many_rules(conf):
    got = rules(conf, "".join(f"user u{n}\ntopic write u{n}/#\n" for n in range(10000)))
    assert got == [("user", f"u{n}", "write", f"u{n}/#") for n in range(10000)]


def test_all_files(conf):
    conf.bad("wrong\n" + MAIN, "main.conf:1: there is no option 'wrong'",
             f"users:1: user 'a': {PLAIN}", "rules:1: 'wrong' is not user, topic or pattern",
             users="a:b\n", rules="wrong\n")
