# SPDX-License-Identifier: GPL-2.0
"""The move from Mosquitto: Debian's example files, filled in as their comments say, are read
by Mosquitto and by kmqtt, and mosquitto_pub and mosquitto_sub have to see no difference.

Every step is run against Mosquitto first and then against kmqtt; what the commands print and
their statuses are compared as they are.
"""

import contextlib
import os
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from selftest import (
    PATIENCE, check, ctl, ctl_json, finish, load, note, point, run, same, unload, wait_for,
)

EXAMPLES = Path("/usr/share/doc/mosquitto/examples")
# Of the second listener; the first one has MQTT's own.
SECOND = 1884

# What a user writes below the comment that explains it, in Debian's mosquitto.conf.
FILLED_IN = {
    "#max_queued_messages 1000": "max_queued_messages 200",
    "#persistent_client_expiration": "persistent_client_expiration 1d",
    "#password_file": "password_file @/passwd",
    "#acl_file": "acl_file @/acl",
    "#allow_anonymous false": "allow_anonymous false",
}
# And below the last line, as the comments of "Extra listeners" say.
LISTENERS = f"""
listener 1883 127.0.0.1
listener {SECOND} 127.0.0.1
max_connections 20
max_qos 1
use_username_as_clientid true
"""
# Beside what Debian's aclfile.example allows.
RULES = """
user pub_client
topic write news/#
topic write state/#
user sub_client
topic read news/#
topic deny news/secret
topic read state/#
topic write replies/sub_client
user admin
topic readwrite #
topic read $SYS/#
pattern readwrite own/%u/%c
"""
PASSWORDS = {"roger": "of roger", "pub_client": "of pub", "sub_client": "of sub", "admin": "root"}


def example(name):
    """The text of an example, which some versions of the package have compressed."""
    path = EXAMPLES / name
    check(path.exists(), f"Debian's package has no {path}")
    return path.read_text(encoding="utf-8")


def files(directory):
    """mosquitto.conf, passwd and acl."""
    directory.chmod(0o755)
    conf = example("mosquitto.conf")
    for comment, line in FILLED_IN.items():
        check(conf.count(f"\n{comment}\n") == 1, f"{comment!r} in Debian's mosquitto.conf")
        conf = conf.replace(f"\n{comment}\n", f"\n{line}\n")
    (directory / "mosquitto.conf").write_text(conf.replace("@", str(directory)) + LISTENERS,
                                              encoding="utf-8")
    (directory / "acl").write_text(example("aclfile.example") + RULES, encoding="utf-8")
    passwd = directory / "passwd"
    # Users of the example have passwords that nobody tells.
    passwd.write_text(example("pwfile.example") + "stranger:" +
                      example("pwfile.example").split("\n")[0].split(":", 1)[1] + "\n",
                      encoding="utf-8")
    for user, password in PASSWORDS.items():
        run("mosquitto_passwd", "-b", str(passwd), user, password)
    passwd.chmod(0o644)
    return directory / "mosquitto.conf"


# ---------------------------------------------------------------- brokers

def listens(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 5):
        return True
    return False


@contextlib.contextmanager
def mosquitto(conf):
    with subprocess.Popen(["mosquitto", "-c", str(conf)], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: listens(1883) and listens(SECOND), "Mosquitto to listen")
            yield
        finally:
            process.terminate()


@contextlib.contextmanager
def kmqtt(conf):
    load()
    try:
        ctl("load", str(conf))
        same({(row["address"], row["port"]) for row in ctl_json("listener")},
             {("127.0.0.1", 1883), ("127.0.0.1", SECOND)}, "listeners")
        yield
    finally:
        unload()


# --------------------------------------------------------------- commands

def login(user):
    return ["-u", user, "-P", PASSWORDS[user]] if user else []


def publish(user, *args, input=None):
    """mosquitto_pub: its status, and what it says."""
    got = run("timeout", str(PATIENCE), "mosquitto_pub", *login(user), *args, check_status=False,
              input=input)
    return got.returncode, got.stdout, got.stderr


class Subscriber:
    """mosquitto_sub that is subscribed by now. It ends by itself with -C or -E, or when it
    is told to."""

    def __init__(self, user, *args):
        # -d tells of every packet. What counts is what is told without it, and what was granted.
        self.out, self.err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        self.child = subprocess.Popen(
            ["stdbuf", "-oL", "mosquitto_sub", *login(user), "-d", *args],
            stdout=self.out, stderr=self.err)
        wait_for(lambda: self.told("Subscribed ") or self.child.poll() is not None,
                 f"mosquitto_sub {args} to be subscribed")
        check(self.told("Subscribed "), f"mosquitto_sub {args}: {self.read(self.err)}")

    @staticmethod
    def read(file):
        return os.pread(file.fileno(), 1 << 20, 0).decode("utf-8", "replace")

    def told(self, prefix):
        return [line for line in self.read(self.out).splitlines() if line.startswith(prefix)]

    def result(self, after=None):
        """Status, what was granted, messages and complaints; after so many seconds if it doesn't
        end."""
        try:
            self.child.wait(after or PATIENCE)
        except subprocess.TimeoutExpired:
            self.end()
        messages = [line for line in self.read(self.out).splitlines()
                    if not line.startswith(("Client ", "Subscribed "))]
        return self.child.returncode, self.told("Subscribed "), messages, self.read(self.err)

    def end(self):
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(PATIENCE)


def subscribe(user, *args):
    """One that connects and ends."""
    got = run("timeout", str(PATIENCE), "mosquitto_sub", *login(user), *args, check_status=False)
    return got.returncode, got.stdout, got.stderr


# ------------------------------------------------------------------ steps

STEPS = []


def step(text):
    def keep(function):
        STEPS.append((text, function))
        return function
    return keep


VERSIONS = ("mqttv31", "mqttv311", "mqttv5")


@step("who is let in, with each version and at each listener")
def let_in(_):
    for version, port in zip(VERSIONS, (1883, 1883, SECOND), strict=True):
        at = ["-V", version, "-p", str(port), "-t", "news/x", "-m", "x", "-q", "1"]
        yield publish(None, *at)
        yield publish("pub_client", *at)
        yield publish(None, *at, "-u", "pub_client")
        yield publish(None, *at, "-u", "pub_client", "-P", "of sub")
        yield publish(None, *at, "-u", "nobody", "-P", "of pub")
        yield publish(None, *at, "-u", "stranger", "-P", "")
        yield subscribe(None, "-V", version, "-p", str(port), "-t", "news/x", "-E")


@step("messages of each QoS and version")
def each_qos(_):
    for version in VERSIONS:
        for qos in ("0", "1", "2"):
            reader = Subscriber("sub_client", "-V", version, "-t", "news/#", "-q", qos, "-C", "3",
                                "-F", "%t %q %r %p")
            for sent in ("0", "1", "2"):
                yield publish("pub_client", "-V", version, "-t", "news/a", "-q", sent,
                              "-m", f"at {sent}")
            yield reader.result()


@step("more QoS than a listener has")
def max_qos(_):
    for version in VERSIONS[1:]:
        yield publish("pub_client", "-V", version, "-p", str(SECOND), "-q", "2", "-t", "news/a",
                      "-m", "x")
        reader = Subscriber("sub_client", "-V", version, "-p", str(SECOND), "-q", "2",
                            "-t", "news/a", "-C", "1", "-F", "%q %p")
        yield publish("pub_client", "-q", "2", "-t", "news/a", "-m", "from the other one")
        yield reader.result()


@step("who may do what")
def rights(_):
    """The rules of the example and those beside them."""
    watcher = Subscriber("admin", "-t", "#", "-v", "-q", "1")
    for user, topic in (("roger", "foo/bar"), ("roger", "foo/baz"), ("pub_client", "foo/bar"),
                        ("pub_client", "news/1"), ("pub_client", "state/1"),
                        ("sub_client", "news/2"), ("sub_client", "replies/sub_client"),
                        ("sub_client", "replies/other"), ("admin", "anything"),
                        ("roger", "own/roger/c"), ("roger", "own/roger/d"),
                        ("admin", "$SYS/broker/uptime"),
                        ("roger", "$SYS/broker/connection/c/state")):
        for version in VERSIONS[1:]:
            yield publish(user, "-V", version, "-i", "c", "-t", topic, "-q", "1", "-m", user)
    yield publish("admin", "-t", "end", "-m", "", "-q", "1")
    yield watcher.result(2)
    for user, topic, want in (("sub_client", "#", 2), ("roger", "foo/#", 1),
                              ("sub_client", "news/secret", 0)):
        reader = Subscriber(user, "-t", topic, "-v", *(["-C", str(want)] if want else []))
        for sent in ("news/a", "news/secret", "state/a", "foo/bar", "foo/b", "other"):
            yield publish("admin", "-t", sent, "-m", "x", "-q", "1")
        yield reader.result(2)


@step("$SYS is for those who may read it")
def sys_topics(_):
    yield subscribe("admin", "-t", "$SYS/broker/uptime", "-C", "1", "-F", "%t %r")
    yield subscribe("sub_client", "-t", "$SYS/broker/uptime", "-C", "1", "-W", "3")


@step("retained messages")
def retained(_):
    for topic, payload in (("news/kept", "first"), ("news/kept", "second"), ("news/secret", "no"),
                           ("state/kept", "third")):
        yield publish("admin", "-t", topic, "-m", payload, "-r", "-q", "1")
    for version in VERSIONS:
        yield subscribe("sub_client", "-V", version, "-t", "news/+", "-t", "state/kept",
                        "-C", "2", "-F", "%t %r %p")
        yield subscribe("sub_client", "-V", version, "-t", "news/+", "-R", "-W", "2")
    yield subscribe("admin", "-t", "news/#", "-t", "state/#", "--remove-retained", "-W", "2", "-F",
                    "%t")
    yield subscribe("sub_client", "-t", "news/+", "-W", "2")


@step("what is queued for a client that is away")
def queued(_):
    for version, keep in (("mqttv311", ["-c"]),
                          ("mqttv5", ["-c", "-x", "1000"])):
        at = ["-V", version, *keep, "-i", "away", "-q", "1", "-t", "news/#"]
        yield subscribe("sub_client", *at, "-E")
        for number in range(4):
            yield publish("pub_client", "-t", "news/q", "-q", "1", "-m", str(number))
        yield publish("pub_client", "-t", "news/q", "-q", "0", "-m", "not kept")
        yield publish("admin", "-t", "news/secret", "-q", "1", "-m", "not to be read")
        yield subscribe("sub_client", *at, "-C", "4", "-F", "%q %p")
        # Another user with the same session gets what that one may read.
        yield publish("pub_client", "-t", "news/q", "-q", "1", "-m", "for sub_client only")
        yield subscribe("roger", *at, "-W", "2", "-F", "%q %p")
        yield subscribe("admin", "-i", "away", "-V", version, "-t", "none", "-E")


@step("wills")
def wills(_):
    for version in VERSIONS:
        watcher = Subscriber("admin", "-t", "state/#", "-C", "1", "-F", "%t %q %p")
        will = ["-V", version, "--will-payload", "gone", "--will-qos", "1"]
        for topic in ("replies/other", "replies/sub_client", "state/x"):
            dying = Subscriber("admin", *will, "--will-topic", topic, "-t", "nothing")
            dying.child.kill()
            dying.child.wait()
        yield watcher.result()
        yield subscribe("sub_client", *will, "--will-topic", "replies/x", "-t", "news/x", "-E")


@step("user names that are client identifiers")
def user_names(_):
    first = Subscriber("sub_client", "-p", str(SECOND), "-i", "one", "-t", "news/x")
    # It is the same client, so the first one has to go.
    second = Subscriber("sub_client", "-p", str(SECOND), "-i", "two", "-t", "own/sub_client/+",
                        "-C", "1", "-v")
    # It would come back for ever.
    first.end()
    yield publish("sub_client", "-i", "two", "-t", "own/sub_client/two", "-q", "1", "-m", "no")
    yield publish("admin", "-t", "own/sub_client/sub_client", "-q", "1", "-m", "yes")
    yield second.result(5)


@step("MQTT 5: properties")
def properties(_):
    reader = Subscriber("sub_client", "-V", "5", "-t", "news/#", "-C", "2", "-F", "%t %A %C %D %R %P %p")
    yield publish("pub_client", "-V", "5", "-t", "news/p", "-m", "with all",
                  "-D", "publish", "content-type", "text/plain",
                  "-D", "publish", "response-topic", "replies/sub_client",
                  "-D", "publish", "correlation-data", "number 1",
                  "-D", "publish", "user-property", "a", "b",
                  "-D", "publish", "user-property", "a", "c")
    yield publish("pub_client", "-V", "5", "-t", "news/p", "-m", "with none")
    yield reader.result()
    # Shared, and with the options of a subscription.
    reader = Subscriber("sub_client", "-V", "5", "-t", "$share/g/news/#", "-C", "2", "-v")
    for payload in ("one", "two"):
        yield publish("pub_client", "-V", "5", "-t", "news/s", "-m", payload, "-q", "1")
    yield reader.result()
    reader = Subscriber("sub_client", "-V", "5", "-t", "news/#", "--retain-as-published", "-C", "1",
                        "-F", "%r %p")
    yield publish("pub_client", "-V", "5", "-t", "news/r", "-m", "x", "-r")
    yield reader.result()
    yield publish("pub_client", "-V", "5", "-t", "news/r", "-n", "-r")
    yield publish("pub_client", "-V", "5", "-t", "news/e", "-m", "short", "-r", "-q", "1",
                  "-D", "publish", "message-expiry-interval", "1")
    time.sleep(2.5)
    yield subscribe("sub_client", "-V", "5", "-t", "news/e", "-W", "2")
    # Nobody is there.
    yield publish("admin", "-V", "5", "-t", "nobody", "-q", "1", "-m", "x", "-d")[0]


@step("many lines in one connection, and large ones")
def lines(directory):
    reader = Subscriber("sub_client", "-t", "news/l", "-q", "1", "-C", "100")
    yield publish("pub_client", "-t", "news/l", "-q", "1", "-l",
                  input="".join(f"line {number}\n" for number in range(100)))
    yield reader.result()
    large = directory / "large"
    large.write_bytes(bytes(range(256)) * 1000)
    reader = Subscriber("sub_client", "-t", "news/l", "-q", "1", "-C", "1", "-F", "%l")
    yield publish("pub_client", "-t", "news/l", "-q", "1", "-f", str(large))
    yield reader.result()


@step("topics that are none")
def wrong_topics(_):
    for version in VERSIONS[1:]:
        for topic in ("news/+", "news/#", "", "a//b", "/", "$share/a/b", "$other"):
            yield publish("admin", "-V", version, "-t", topic, "-m", "x", "-q", "1")
        for topic in ("news/+x", "#/x", "$share/g", "+/+/#", "$share//a"):
            yield subscribe("admin", "-V", version, "-t", topic, "-E")


def play(broker, conf, directory):
    """{step: what its commands did}"""
    seen = {}
    with broker(conf):
        for text, function in STEPS:
            try:
                seen[text] = list(function(directory))
            except (AssertionError, TimeoutError, subprocess.TimeoutExpired) as error:
                seen[text] = error
    return seen


def main():
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        conf = None
        seen = []
        with point("Debian's example files, filled in"):
            conf = files(directory)
        for broker in (mosquitto, kmqtt):
            with point(f"{broker.__name__} reads them, and stops"):
                seen.append(play(broker, conf, directory))
    for text, _ in STEPS:
        with point(text):
            want, got = (played[text] for played in seen)
            for error in (want, got):
                if isinstance(error, Exception):
                    raise error
            check(want, "nothing was done")
            same(len(got), len(want), "number of commands")
            differ = [pair for pair in zip(want, got, strict=True) if pair[0] != pair[1]]
            for theirs, ours in differ:
                note(f"Mosquitto: {theirs!r}\nkmqtt:     {ours!r}")
            check(not differ, f"{len(differ)} of {len(want)} are different")
    finish()


main()
