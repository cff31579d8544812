# SPDX-License-Identifier: GPL-2.0
"""What Documentation/tracing.rst tells to type does what it says there.

All commands of that page are taken from it and run while clients do something
of each kind; a command that this test knows nothing of is a failed point.
"""

import collections
import contextlib
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

from selftest import (
    PATIENCE, TOP, Loop, Peer, Skip, check, client, ctl, finish, note, point, run, same, settings,
    stats, wait_for, wait_idle,
)

PAGE = f"{TOP}/Documentation/tracing.rst"
TRACING = "/sys/kernel/tracing"
EVENTS = f"{TRACING}/events/kmqtt"
# bpftrace, interpreted by a machine that others use, too.
BPFTRACE_PATIENCE = 300


def blocks():
    """Sections of the page, each a list of (text in front, commands)."""
    sections, title, text, block, last = {}, None, [], None, ""
    with open(PAGE) as page:
        lines = page.read().splitlines() + ["", "end"]
    for line in lines:
        if line and set(line) == {"="}:
            title = last
            sections.setdefault(title, [])
        elif block is not None and (not line or line.startswith("    ")):
            if line:
                block.append(line.strip())
        else:
            if block:
                sections[title].append((" ".join(text).rstrip(":"), block))
                text = []
            block = None
            text = text + [line] if line else []
            if line.endswith("::"):
                block = []
        last = line
    return sections


class Traffic:
    """Something of each kind, again and again if need be."""

    def __init__(self):
        self.loop = Loop()
        self.sub = client(self.loop, "pump7", "a/#", qos=1)
        slow = client(self.loop, "slow", "a/#", qos=1, clean=False)
        slow.close()
        wait_for(lambda: stats()["connections"] == 1, "the slow one to be gone")

    def turn(self):
        with settings(max_queued_messages=1):
            pub = client(self.loop, "pubber", username="me", password=b"secret")
            got = len(self.sub.messages)
            for _ in range(4):
                pub.wait_publish("a/x", bytes(100), 1)
            self.loop.until(lambda: len(self.sub.messages) >= got + 4, "messages")
            # The acknowledgments are in, too.
            self.sub.wait_ping()
            pub.wait_publish("a/large", bytes(300000), 0)
            pub.disconnect()
            pub.wait_closed()
        bad = Peer(self.loop)
        bad.send(b"\x10\x02xx")
        bad.wait_closed()

    def close(self):
        self.loop.close()
        ctl("session", "del", "slow")
        wait_idle()


def shell(commands):
    got = subprocess.run(["bash", "-ec", "\n".join(commands)], capture_output=True, text=True,
                         check=False)
    check(got.returncode == 0, f"{commands}: status {got.returncode}: {got.stderr}")
    return got.stdout


def has(text, *patterns):
    for pattern in patterns:
        check(re.search(pattern, text, re.M), f"no {pattern!r} in\n{text[-4000:]}")


def with_traffic(commands, traffic):
    """The first and the last command with traffic in between, before they look."""
    at = next(i for i, command in enumerate(commands) if command.startswith("cat "))
    shell(commands[:at])
    traffic.turn()
    place = [command for command in commands[:at] if command.startswith("cd ")]
    return shell(place + commands[at:])


EVERYTHING = (
    r"kmqtt_packet_in: client=\d+ client_id= CONNECT len=\d+",
    r"kmqtt_client_state: client=\d+ client_id=pubber new -> online reason=success",
    r"kmqtt_auth: client=\d+ client_id=pubber addr=::ffff:127\.0\.0\.1 method=password "
    r"reason=success",
    r"kmqtt_packet_out: client=\d+ client_id=pubber CONNACK len=2",
    r"kmqtt_packet_in: client=\d+ client_id=pubber PUBLISH len=107",
    r"kmqtt_route: netns=\d+ topic=a/x qos=1 len=100 matches=2",
    r"kmqtt_packet_out: client=\d+ client_id=pump7 PUBLISH len=107",
    r"kmqtt_packet_out: client=\d+ client_id=pubber PUBACK len=2",
    r"kmqtt_packet_in: client=\d+ client_id=pump7 PUBACK len=2",
    r"kmqtt_drop: netns=\d+ client_id=slow drop=queue-full",
    r"kmqtt_packet_in: client=\d+ client_id=pubber PUBLISH len=300009",
    r"kmqtt_packet_out: client=\d+ client_id=pump7 PUBLISH len=300009",
    r"kmqtt_client_state: client=\d+ client_id=pubber online -> closing reason=success",
    r"kmqtt_client_fail: client=\d+ client_id= reason=malformed-packet",
    r"kmqtt_client_state: client=\d+ client_id= new -> closing reason=malformed-packet",
    r"kmqtt_refused: client=\d+ addr=::ffff:127\.0\.0\.1 listener=\d+ reason=malformed-packet",
)


def test_tracefs(section, traffic):
    every, one = section
    shell([f"echo >{TRACING}/trace"])
    has(with_traffic(every[1], traffic), *EVERYTHING)
    shell([f"echo >{TRACING}/trace"])
    seen = with_traffic(one[1], traffic)
    has(seen, r"kmqtt_packet_in: client=\d+ client_id=pump7 PUBACK len=2")
    check("pubber" not in seen, "the filter lets nobody else through")
    shell([f"echo >{TRACING}/trace"])
    traffic.turn()
    with open(f"{TRACING}/trace") as trace:
        check("kmqtt" not in trace.read(), "nothing is traced any more")


def test_documented():
    """Each event and each field is on the page."""
    with open(PAGE) as page:
        text = page.read()
    events = [name for name in os.listdir(EVENTS) if os.path.isdir(f"{EVENTS}/{name}")]
    check(len(events) == 10, f"events: {events}")
    for event in events:
        check(f"``{event}``" in text, f"{event} is documented")
        with open(f"{EVENTS}/{event}/format") as file:
            for field in re.findall(r"field:.*?(\w+)(?:\[\w+\])?;", file.read()):
                check(field.startswith("common_") or f"``{field}``" in text,
                      f"{field} of {event} is documented")


def test_handover(traffic):
    """Why softirq left it is told with a name, and both sides."""
    shell([f"echo >{TRACING}/trace", f"echo 1 >{EVENTS}/kmqtt_handover/enable"])
    with settings(bh_path=False):
        traffic.sub.wait_ping()
    with open(f"{TRACING}/trace") as trace:
        has(trace.read(), r"kmqtt_handover: client=\d+ client_id=pump7 receive why=setting")
    shell([f"echo 0 >{EVENTS}/kmqtt_handover/enable"])


def test_hostile(traffic):
    """A client identifier controls no terminal, and long ones are cut at a character."""
    shell([f"echo >{TRACING}/trace", f"echo 1 >{EVENTS}/kmqtt_client_state/enable"])
    for id in ("esc\x1b[2J\u009b2J\nkmqtt_drop:", "x" * 38 + "\u00e4"):
        client(traffic.loop, id).disconnect()
    wait_for(lambda: stats()["connections"] == 1, "them to be gone")
    with open(f"{TRACING}/trace", "rb") as trace:
        seen = trace.read()
    shell([f"echo 0 >{EVENTS}/kmqtt_client_state/enable"])
    check(b"client_id=esc?[2J??2J?kmqtt_drop: " in seen, f"{seen}")
    check(b"client_id=" + b"x" * 38 + b" " in seen, f"{seen}")


# A user, and who else may do what.
RULES = """
topic readwrite a/#
user known
topic write a/y
"""


def test_access(traffic):
    """Checks of passwords, and what rules deny."""
    with tempfile.TemporaryDirectory() as directory:
        passwords, rules, conf = (f"{directory}/{name}" for name in ("passwords", "rules", "conf"))
        for name, text in ((passwords, ""), (rules, RULES),
                           (conf, "listener 1883 127.0.0.1\nallow_anonymous true\nuser root\n"
                                  f"password_file {passwords}\nacl_file {rules}\n")):
            with open(name, "w") as file:
                file.write(text)
        run("mosquitto_passwd", "-b", passwords, "known", "of known")
        ctl("load", conf)
    events = ("kmqtt_client_state", "kmqtt_auth", "kmqtt_deny")
    shell([f"echo >{TRACING}/trace", *(f"echo 1 >{EVENTS}/{event}/enable" for event in events)])
    known = client(traffic.loop, "known", "#", qos=1, username="known", password=b"of known")
    known.wait_publish("a/y")
    known.wait_publish("b/z")
    wrong = Peer(traffic.loop)
    wrong.connect("wrong", username="known", password=b"of nobody")
    wrong.wait_closed()
    known.disconnect()
    wait_for(lambda: stats()["connections"] == 1, "them to be gone")
    with open(f"{TRACING}/trace") as trace:
        has(trace.read(),
            r"kmqtt_client_state: client=\d+ client_id= new -> check reason=success",
            r"kmqtt_client_state: client=\d+ client_id=known check -> online reason=success",
            r"kmqtt_auth: client=\d+ client_id=known addr=\S+ method=password reason=success",
            r"kmqtt_deny: client_id=known read topic=a/y",
            r"kmqtt_deny: client_id=known write topic=b/z",
            r"kmqtt_auth: client=\d+ client_id= addr=\S+ method=password "
            r"reason=bad-user-name-or-password",
            r"kmqtt_client_state: client=\d+ client_id= check -> closing "
            r"reason=bad-user-name-or-password")
    shell([f"echo 0 >{EVENTS}/{event}/enable" for event in events])


def test_trace_cmd(section, traffic):
    if not shutil.which("trace-cmd"):
        raise Skip("trace-cmd is not installed")
    (_, (record, report)), = section
    child = subprocess.Popen(record.split(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                             cwd="/tmp")
    def ready():
        with open(f"{EVENTS}/enable") as enable:
            return enable.read().strip() == "1"
    wait_for(lambda: ready() or child.poll() is not None, "trace-cmd to begin")
    while child.poll() is None:
        traffic.turn()
    same(child.returncode, 0, f"status of {record} ({child.stderr.read()[-500:]})")
    has(shell([report]), r"kmqtt_packet_in: +client=\d+ client_id=pubber PUBLISH len=107",
        r"kmqtt_drop: .*client_id=slow drop=queue-full")


# By the beginning of what the page says of them: what they print.
PROMISES = {
    "Packets from each client": (r"^@in\[pump7\]: \d+", r"^@in\[pubber\]: \d+",
                                 r"^@out\[pump7\]: \d+"),
    "Sizes of PUBLISH": (r"^@bytes:", r"^\[64, 128\) +\d+ \|@", r"^\[256K, 512K\) +\d+ \|"),
    "The topics": (r"^@\[a/x\]: \d+", r"^@\[a/large\]: \d+"),
    "Dropped messages": (r"^@\[slow, 0\]: \d+",),
    "Refused connections": (r"^@\[129, ::ffff:127\.0\.0\.1\]: \d+",),
    "Ends of connections": (r"^@\[0\]: \d+",),
    "Who authenticates": (r"^::ffff:127\.0\.0\.1 pubber password 0$",),
    "Handovers": (r"^@\[3\]: \d+",),
    "Microseconds from": (r"^@us:", r"^\[\d+K?, \d+K?\) +\d+ \|@"),
    "Microseconds that clients": (r"^@us\[pump7\]:", r"^\[\d+K?, \d+K?\) +\d+ \|@"),
}


class Bpftrace:
    """All lines of the page as one program.

    Where guests are interpreted, bpftrace takes half a minute to begin. So they
    share a process: their maps are told apart by their names, and their ENDs
    are one.
    """

    def __init__(self, commands):
        probes, ends = [], []
        for i, command in enumerate(commands):
            quoted = re.fullmatch(r"bpftrace -e '([^']*)'", command)
            check(quoted, f"not a one-liner: {command}")
            program = re.sub(r"@(\w*)", rf"@line{i}_\1", quoted[1])
            program, _, end = program.partition(" END {")
            probes.append(program)
            ends.append(end.strip().removesuffix("}"))
        self.program = " ".join([*probes, "END {", *ends, "}"])
        self.out = tempfile.TemporaryFile()
        self.child = subprocess.Popen(["bpftrace", "-e", self.program], stdout=self.out,
                                      stderr=subprocess.STDOUT)

    def attached(self):
        """A descriptor for each probe, and one for each processor's output."""
        check(self.child.poll() is None, f"bpftrace ends: {self.text()}")
        events = 0
        with contextlib.suppress(OSError):
            for fd in os.listdir(f"/proc/{self.child.pid}/fd"):
                with contextlib.suppress(OSError):
                    events += "perf_event" in os.readlink(f"/proc/{self.child.pid}/fd/{fd}")
        return events >= self.program.count("tracepoint:") + os.cpu_count()

    def text(self):
        self.out.seek(0)
        return self.out.read().decode()

    def end(self):
        """What each line has printed; what is of no map may be of any."""
        self.child.send_signal(signal.SIGINT)
        status = self.child.wait(BPFTRACE_PATIENCE)
        check(status == 0, f"status {status}: {self.text()}")
        found = collections.defaultdict(str)
        number = None
        for line in self.text().splitlines():
            name = re.match(r"@line(\d+)_", line)
            if name:
                number = int(name[1])
                line = "@" + line[name.end():]
            found[number] += line + "\n"
        return found


def bpf_works():
    """Why bpftrace can't be tested here, or nothing."""
    if not shutil.which("bpftrace"):
        return "bpftrace is not installed"
    # There whenever the system call is.
    if not os.path.exists("/proc/sys/kernel/unprivileged_bpf_disabled"):
        return "this kernel has no BPF (CONFIG_BPF_SYSCALL)"
    return None


def run_bpftrace(lines, traffic):
    """What each line has printed."""
    bpftrace = Bpftrace([block[0] for _, block in lines])
    try:
        start = time.monotonic()
        wait_for(bpftrace.attached, "bpftrace to attach", BPFTRACE_PATIENCE)
        note(f"bpftrace has begun after {time.monotonic() - start:.0f} s")
        traffic.turn()
        traffic.turn()
        return bpftrace.end()
    finally:
        bpftrace.child.kill()
        bpftrace.child.wait()


def test_bpftrace(section, traffic):
    """Each line of the page is a point of its own."""
    why = bpf_works()
    found = None
    with point("bpftrace takes the lines of the page"):
        if why:
            raise Skip(why)
        found = run_bpftrace(section, traffic)
    for i, (text, _) in enumerate(section):
        with point(f"bpftrace: {text}"):
            if why:
                raise Skip(why)
            check(found, "there is something to look at")
            name = next((name for name in PROMISES if text.startswith(name)), None)
            check(name, "this test knows what the line promises")
            has(found[i] + found[None], *PROMISES[name])


def test_log(section, traffic):
    if not os.path.exists("/proc/dynamic_debug/control"):
        raise Skip("this kernel has no dynamic debug")
    run("dmesg", "-C")
    traffic.turn()
    check("kmqtt" not in run("dmesg").stdout, f"nothing is logged: {run('dmesg').stdout}")
    (_, (on, show, off)), = section
    shell([on])
    # A second has at most one line of what a session has lost: that of the turn before.
    time.sleep(1.1)
    traffic.turn()
    wait_for(lambda: "refused" in run("dmesg").stdout, "the last line")
    seen = shell([show])
    shell([off])
    has(seen, r"kmqtt: client \d+ \(pubber\) connected from ::ffff:127\.0\.0\.1$",
        r"kmqtt: client \d+ \(pubber\) disconnected: reason 0x0$",
        r"kmqtt: client \d+ from ::ffff:127\.0\.0\.1 refused: reason 0x81 \(\d+\)$",
        r"kmqtt: \d+ dropped to slow: reason 0$")


def main():
    sections = blocks()
    traffic = Traffic()
    with point("all commands of the page are known"):
        same({title: len(found) for title, found in sections.items() if found},
             {"With tracefs": 2, "With trace-cmd": 1, "With bpftrace": len(PROMISES),
              "The log": 1}, "blocks")
    for text, test in (
        ("events and fields are documented", test_documented),
        ("tracefs", lambda: test_tracefs(sections["With tracefs"], traffic)),
        ("handovers have names", lambda: test_handover(traffic)),
        ("identifiers control no terminal", lambda: test_hostile(traffic)),
        ("trace-cmd", lambda: test_trace_cmd(sections["With trace-cmd"], traffic)),
        ("the log", lambda: test_log(sections["The log"], traffic)),
    ):
        with point(text):
            test()
    test_bpftrace(sections["With bpftrace"], traffic)
    # The last one: it leaves its rules.
    with point("passwords and rules"):
        test_access(traffic)
    traffic.close()
    finish()


main()
