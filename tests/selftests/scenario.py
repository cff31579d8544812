# SPDX-License-Identifier: GPL-2.0
"""The move from Mosquitto: Debian's example files, filled in as their comments say, are read
by Mosquitto and by kmqtt, and mosquitto_pub and mosquitto_sub have to see no difference.

    scenario.py mosquitto FILE    play all steps for Mosquitto and write what was seen
    scenario.py FILE              play them for kmqtt and compare

Mosquitto needs no guest: setup has it play on the host, where commands are fast. The guest has
the same commands. What they print and their statuses are compared as they are, but where
Documentation/mosquitto-options.rst tells of a difference: see "differs".

Little is left to time: what ends a subscriber is a message behind all that must not come.
"""

import contextlib
import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from selftest import (
    PATIENCE, check, ctl, ctl_json, finish, load, note, point, run, same, unload, wait_for,
)

EXAMPLES = Path("/usr/share/doc/mosquitto/examples")
# Of the second listener; the first one has MQTT's own.
SECOND = "1884"

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
    """The text of an example."""
    path = EXAMPLES / name
    check(path.exists(), f"Debian's package has no {path}")
    return path.read_text(encoding="utf-8")


def make_files(directory):
    """{name: text} of mosquitto.conf, passwd and acl; @ is the directory where they are."""
    conf = example("mosquitto.conf")
    check("@" not in conf, "@ in Debian's mosquitto.conf")
    for comment, line in FILLED_IN.items():
        check(conf.count(f"\n{comment}\n") == 1, f"{comment!r} in Debian's mosquitto.conf")
        conf = conf.replace(f"\n{comment}\n", f"\n{line}\n")
    passwd = directory / "new"
    # Users of the example have passwords that nobody tells.
    known = example("pwfile.example")
    passwd.write_text(f"{known}stranger:{known.splitlines()[0].split(':', 1)[1]}\n",
                      encoding="utf-8")
    for user, password in PASSWORDS.items():
        run("mosquitto_passwd", "-b", str(passwd), user, password)
    return {"mosquitto.conf": conf + LISTENERS, "passwd": passwd.read_text(encoding="utf-8"),
            "acl": example("aclfile.example") + RULES}


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
            wait_for(lambda: process.poll() is not None or listens(1883) and listens(SECOND),
                     "Mosquitto to listen")
            same(process.poll(), None, "status of Mosquitto")
            yield
        finally:
            process.terminate()


@contextlib.contextmanager
def kmqtt(conf):
    # As it is if nobody says otherwise.
    load("sys_interval=10")
    try:
        ctl("load", str(conf))
        same({(row["address"], row["port"]) for row in ctl_json("listener")},
             {("127.0.0.1", 1883), ("127.0.0.1", int(SECOND))}, "listeners")
        yield
    finally:
        unload()


# --------------------------------------------------------------- commands

def login(user):
    return ["-u", user, "-P", PASSWORDS[user]] if user else []


def command(*args, input=None):
    """The command, its status, and what it says."""
    try:
        got = run(*args, check_status=False, input=input, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return [shlex.join(args), "has not ended"]
    return [shlex.join(args), got.returncode, got.stdout, got.stderr]


def publish(user, *args, **kw):
    return command("mosquitto_pub", *login(user), *args, **kw)


def subscribe(user, *args):
    """One that connects and ends."""
    return command("mosquitto_sub", *login(user), *args)


class Subscriber:
    """mosquitto_sub that goes on; ready() when it is subscribed."""

    started = []

    def __init__(self, user, *args):
        self.args = ["mosquitto_sub", *login(user), *args]
        # -d tells of every packet. What counts is what is told without it, and what was granted.
        self.out, self.err = tempfile.TemporaryFile("w+"), tempfile.TemporaryFile("w+")
        self.child = subprocess.Popen(["stdbuf", "-oL", *self.args, "-d"], stdout=self.out,
                                      stderr=self.err)
        self.started.append(self)

    def ready(self):
        wait_for(lambda: self.granted() or self.child.poll() is not None,
                 f"{self.args} to be subscribed")
        check(self.granted(), f"{self.args}: {self.read(self.err)}")
        return self

    @staticmethod
    def read(file):
        return os.pread(file.fileno(), 1 << 20, 0).decode("utf-8", "replace")

    def granted(self):
        return [line for line in self.read(self.out).splitlines() if line.startswith("Subscribed ")]

    def messages(self):
        return [line for line in self.read(self.out).splitlines()
                if not line.startswith(("Client ", "Subscribed "))]

    def result(self):
        """The command, its status, what was granted, messages and complaints. It ends by itself,
        with -C."""
        try:
            self.child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
        return [shlex.join(self.args), self.child.returncode, self.granted(), self.messages(),
                self.read(self.err)]

    def kill(self):
        self.child.kill()
        self.child.wait()

    @classmethod
    def kill_all(cls):
        while cls.started:
            cls.started.pop().kill()


def subscribed(user, *args):
    return Subscriber(user, *args).ready()


# ------------------------------------------------------------- differences

class Differs(list):
    """What a command did, and what kmqtt does in place of that."""

    def __init__(self, change, result):
        super().__init__(result)
        self.change = change


def differs(change, result):
    """change(what Mosquitto has done) is what kmqtt has to do."""
    return Differs(change, result)


def bad_login(result):
    """Who gives a wrong name or password is told so (MQTT 5, 3.2.2.2), not that he may not."""
    args, status, out, err = result
    for theirs, ours in (("not authorised", "bad user name or password"),
                         ("Not authorized", "Bad User Name or Password")):
        err = err.replace(theirs, ours)
    return [args, {5: 4, 0x87: 0x86}[status], out, err]


def with_reason(result):
    """Who may not has a reason string (MQTT 5, 3.4.2.2.2), which mosquitto_pub prints."""
    args, status, out, err = result
    return [args, status, out, err + "not authorized\n"]


def bad_filter(result):
    """A shared filter without a name or a filter ends the connection [MQTT-4.8.2-1]."""
    args, status, out, err = result
    end = out.index("Client odd received SUBACK")
    return [args, status, out[:end] + "Received DISCONNECT (143)\n", err]


# ------------------------------------------------------------------ steps

STEPS = []


def step(text):
    def keep(function):
        STEPS.append((text, function))
        return function
    return keep


V31, V311, V5 = (["-V", version] for version in ("mqttv31", "mqttv311", "mqttv5"))


@step("who is let in, with each version and at each listener")
def let_in():
    message = ["-t", "news/x", "-m", "x", "-q", "1"]
    yield publish("pub_client", *V31, *message)
    for at in V311, [*V5, "-p", SECOND]:
        yield publish("pub_client", *at, *message)
        yield publish(None, *at, *message)
        yield differs(bad_login, publish(None, *at, *message, "-u", "pub_client", "-P", "of sub"))
    for version, *who in ((V31, "-u", "nobody", "-P", "of pub"), (V5, "-u", "pub_client"),
                          (V311, "-u", "stranger", "-P", "")):
        yield differs(bad_login, publish(None, *version, *message, *who))
    yield subscribe(None, *V311, "-t", "news/x", "-E")


@step("messages of each QoS and version")
def each_qos():
    readers = [Subscriber("sub_client", *version, "-t", "news/#", "-q", qos, "-C", "4",
                          "-F", "%t %q %r %p")
               for version, qos in ((V31, "2"), (V311, "1"), (V5, "0"), (V5, "2"))]
    for reader in readers:
        reader.ready()
    for version, qos in (V31, "2"), (V311, "1"), (V5, "0"), (V5, "2"):
        yield publish("pub_client", *version, "-t", "news/a", "-q", qos, "-m", f"at {qos}")
    for reader in readers:
        *seen, messages, errors = reader.result()
        # Those of QoS 2 are shown when their PUBREL is there, so others may pass them.
        yield [*seen, sorted(messages), errors]


@step("more QoS than a listener has")
def max_qos():
    # Of two users, who are two clients there.
    readers = [Subscriber(user, *version, "-p", SECOND, "-q", "2", "-t", "news/a", "-C", "1",
                          "-F", "%q %p")
               for user, version in (("sub_client", V311), ("admin", V5))]
    for reader in readers:
        reader.ready()
    for version in V311, V5:
        yield publish("pub_client", *version, "-p", SECOND, "-q", "2", "-t", "news/a", "-m", "x")
    yield publish("pub_client", "-q", "2", "-t", "news/a", "-m", "from the other one")
    for reader in readers:
        yield reader.result()


@step("who may write what")
def may_write():
    """The rules of the example and those beside them. MQTT 5 tells who may not."""
    watcher = subscribed("admin", "-t", "#", "-v", "-q", "1", "-C", "5")
    at = [*V5, "-i", "c", "-q", "1", "-m", "x"]
    for user, topic in (("roger", "foo/baz"), ("pub_client", "foo/bar"), ("sub_client", "news/1"),
                        ("roger", "own/roger/d"), ("admin", "$SYS/broker/uptime")):
        yield differs(with_reason, publish(user, *at, "-t", topic))
    for user, topic in (("roger", "foo/bar"), ("pub_client", "news/1"), ("roger", "own/roger/c"),
                        ("roger", "$SYS/broker/connection/c/state"), ("admin", "anything")):
        yield publish(user, *at, "-t", topic)
    yield publish("roger", *V311, "-t", "foo/baz", "-q", "1", "-m", "denied")
    yield publish("admin", "-t", "end", "-n", "-q", "1")
    yield watcher.result()


@step("who may read what")
def may_read():
    readers = [
        Subscriber("sub_client", "-t", "#", "-v", "-C", "2"),
        Subscriber("roger", "-t", "foo/#", "-v", "-C", "1"),
        Subscriber("sub_client", *V5, "-t", "news/secret", "-t", "news/end", "-v", "-C", "1"),
    ]
    for reader in readers:
        reader.ready()
    for topic in "news/secret", "foo/b", "foo/bar", "state/a", "news/end":
        yield publish("admin", "-t", topic, "-m", "x", "-q", "1")
    for reader in readers:
        yield reader.result()


@step("retained messages, and $SYS for those who may read it")
def retained():
    for topic, payload in (("news/kept", "first"), ("news/kept", "second"), ("news/secret", "no"),
                           ("state/kept", "third")):
        yield publish("admin", "-t", topic, "-m", payload, "-r", "-q", "1")
    for version in V31, V5:
        yield subscribe("sub_client", *version, "-t", "$SYS/broker/uptime", "-t", "news/+",
                        "-t", "state/kept", "-C", "2", "-F", "%t %r %p")
    yield subscribe("admin", "-t", "$SYS/broker/uptime", "-C", "1", "-F", "%t")
    fresh = subscribed("sub_client", "-t", "news/+", "-R", "-C", "1", "-v")
    # With -C, it would not end.
    remover = subscribed("admin", *V5, "-t", "news/#", "-t", "state/#", "--remove-retained", "-F",
                         "%t %r %p")
    wait_for(lambda: len(remover.messages()) >= 6, "retained messages to be removed")
    remover.kill()
    yield remover.result()
    none = subscribed("sub_client", "-t", "news/+", "-C", "1", "-v")
    yield publish("admin", "-t", "news/end", "-m", "x")
    yield fresh.result()
    yield none.result()


@step("what is queued for a client that is away")
def queued():
    for keep in [*V311, "-c"], [*V5, "-c", "-x", "1000"]:
        at = [*keep, "-i", "away", "-q", "1", "-t", "news/#"]
        yield subscribe("sub_client", *at, "-E")
        yield publish("pub_client", "-t", "news/q", "-q", "1", "-l", input="1\n2\n3\n")
        if keep[:2] == V5:
            yield publish("pub_client", "-t", "news/q", "-q", "0", "-m", "not kept")
            yield publish("admin", "-t", "news/secret", "-q", "1", "-m", "not to be read")
            yield publish("pub_client", "-t", "news/q", "-q", "1", "-m", "4")
        yield subscribe("sub_client", *at, "-C", "4" if keep[:2] == V5 else "3", "-F", "%q %p")
        if keep[:2] == V5:
            # Another user with the same session gets what that one may read.
            yield publish("pub_client", "-t", "news/q", "-q", "1", "-m", "for sub_client only")
            yield subscribe("roger", *at, "-W", "3", "-v")
        yield subscribe("admin", "-i", "away", *V311, "-t", "none", "-E")


@step("wills")
def wills():
    watcher = subscribed("admin", "-t", "state/#", "-q", "1", "-C", "3", "-F", "%t %q %p")

    def will(version, topic):
        return [*version, "--will-topic", topic, "--will-payload", "gone", "--will-qos", "1",
                "-t", "news/x"]

    yield subscribe("admin", *will(V5, "state/good-bye"), "-E")
    yield subscribe("sub_client", *will(V311, "state/denied"), "-E")
    for number, version in enumerate((V31, V311, V5), 1):
        dying = [Subscriber("admin", *will(version, f"state/{number}"))]
        if version == V5:
            dying.insert(0, Subscriber("sub_client", *will(V5, "state/denied")))
        for one in dying:
            one.ready()
        for one in dying:
            one.kill()
        wait_for(lambda n=number: len(watcher.messages()) >= n, f"will {number}")
    yield watcher.result()


@step("user names that are client identifiers")
def user_names():
    first = subscribed("sub_client", "-p", SECOND, "-i", "one", "-t", "news/x")
    # It is the same client, so the first one has to go; it would come back for ever.
    first.child.send_signal(signal.SIGSTOP)
    second = subscribed("sub_client", "-p", SECOND, "-i", "two", "-t", "own/sub_client/+",
                        "-C", "1", "-v")
    first.kill()
    yield differs(with_reason, publish("sub_client", *V5, "-i", "two", "-t", "own/sub_client/one",
                                       "-q", "1", "-m", "no"))
    yield publish("admin", "-t", "own/sub_client/sub_client", "-q", "1", "-m", "yes")
    yield second.result()


@step("MQTT 5: properties")
def properties():
    readers = [
        Subscriber("sub_client", *V5, "-t", "news/p", "-C", "2", "-F", "%t %A %C %D %R %P %p"),
        Subscriber("sub_client", *V5, "-t", "$share/g/news/s", "-C", "2", "-v"),
        Subscriber("sub_client", *V5, "-t", "news/r", "--retain-as-published", "-C", "1",
                   "-F", "%r %p"),
    ]
    for reader in readers:
        reader.ready()
    # It is gone when the last of the others has come.
    yield publish("pub_client", *V5, "-t", "news/e", "-m", "short", "-r", "-q", "1",
                  "-D", "publish", "message-expiry-interval", "1")
    begin = time.monotonic()
    yield publish("pub_client", *V5, "-t", "news/p", "-m", "with all",
                  "-D", "publish", "content-type", "text/plain",
                  "-D", "publish", "response-topic", "replies/sub_client",
                  "-D", "publish", "correlation-data", "number 1",
                  "-D", "publish", "user-property", "a", "b",
                  "-D", "publish", "user-property", "a", "c")
    yield publish("pub_client", *V5, "-t", "news/p", "-m", "with none")
    yield publish("pub_client", *V5, "-t", "news/s", "-l", "-q", "1", input="one\ntwo\n")
    yield publish("pub_client", *V5, "-t", "news/r", "-m", "x", "-r")
    yield publish("pub_client", *V5, "-t", "news/r", "-n", "-r")
    for reader in readers:
        yield reader.result()
    time.sleep(max(0, begin + 2.5 - time.monotonic()))
    reader = subscribed("sub_client", *V5, "-t", "news/e", "-C", "1", "-v")
    yield publish("admin", "-t", "news/e", "-m", "later")
    yield reader.result()
    # Nobody is there.
    yield publish("admin", *V5, "-i", "lonely", "-t", "nobody", "-q", "1", "-m", "x", "-d")


@step("many lines in one connection, and large ones")
def lines():
    readers = [Subscriber("sub_client", "-t", "news/l", "-q", "1", "-C", "100"),
               Subscriber("sub_client", "-t", "state/l", "-q", "1", "-C", "1", "-F", "%l")]
    for reader in readers:
        reader.ready()
    yield publish("pub_client", "-t", "news/l", "-q", "1", "-l",
                  input="".join(f"line {number}\n" for number in range(100)))
    yield publish("pub_client", "-t", "state/l", "-q", "1", "-s", input="0123456789abcdef" * 16384)
    for reader in readers:
        yield reader.result()


@step("topics that are hardly any")
def odd_topics():
    message = ["-m", "x", "-q", "1"]
    yield publish("admin", *V5, "-t", "a//b", *message)
    yield publish("admin", *V311, "-t", "$other", *message)
    for topic in "$share/a/b", "$other":
        yield differs(with_reason, publish("admin", *V5, "-t", topic, *message))
    at = [*V5, "-i", "odd", "-E", "-d"]
    yield subscribe("admin", *at, "-t", "+/+/#")
    for topic in "$share//a", "$share/g":
        yield differs(bad_filter, subscribe("admin", *at, "-t", topic))


# -------------------------------------------------------------------- play

def play(broker, files):
    """{step: what its commands did, or an error}"""
    seen = {}
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        for file, text in files.items():
            (directory / file).write_text(text.replace("@", name), encoding="utf-8")
        # The commands have options of the user's, too.
        os.environ["XDG_CONFIG_HOME"] = name
        with broker(directory / "mosquitto.conf"):
            for text, function in STEPS:
                begin, got = time.monotonic(), []
                try:
                    got.extend(function())
                    seen[text] = got
                except (AssertionError, TimeoutError) as error:
                    seen[text] = f"{error}, after {len(got)} commands: {got[-1:]}"
                finally:
                    Subscriber.kill_all()
                if broker is kmqtt:
                    note(f"{text}: {len(got)} commands in {time.monotonic() - begin:.1f} s")
    return seen


def ask_mosquitto(path):
    with tempfile.TemporaryDirectory() as name:
        files = make_files(Path(name))
    seen = {"files": files, "steps": play(mosquitto, files)}
    path.write_text(json.dumps(seen, indent=1), encoding="utf-8")


def compare(want, got):
    for error in want, got:
        check(isinstance(error, list), error)
    check(want, "nothing was done")
    check([theirs[0] for theirs in want] == [ours[0] for ours in got],
          "Mosquitto's commands are others: tests/selftests/setup")
    count = 0
    for theirs, ours in zip(want, got, strict=True):
        expected = ours.change(theirs) if isinstance(ours, Differs) else theirs
        if ours != expected:
            note(f"{ours[0]}\n  Mosquitto: {theirs[1:]}\n  expected:  {expected[1:]}\n"
                 f"  kmqtt:     {ours[1:]}")
            count += 1
    check(not count, f"{count} of {len(want)} are different")


def main():
    if sys.argv[1] == "mosquitto":
        ask_mosquitto(Path(sys.argv[2]))
        return
    path = Path(sys.argv[1])
    theirs, ours = None, {}
    with point("what Mosquitto did is known"):
        check(path.exists(), f"there is no {path}: tests/selftests/setup makes it, on the host")
        theirs = json.loads(path.read_text(encoding="utf-8"))
        same(list(theirs["steps"]), [text for text, _ in STEPS], "steps")
    if theirs:
        with point("kmqtt reads the same files, and stops"):
            ours = play(kmqtt, theirs["files"])
        for text, got in ours.items():
            with point(text):
                compare(theirs["steps"][text], got)
    finish()


main()
