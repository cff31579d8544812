# SPDX-License-Identifier: GPL-2.0
"""The brokers that are measured: how each is started, with its best settings."""

import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
BUILD = TOP / "build"
BENCH = BUILD / "tools/kmqtt-bench"
CTL = BUILD / "tools/kmqttctl"
AGENT = BUILD / "tools/kmqttd"
KO = BUILD / "stock/kmqtt/kmqtt.ko"
HOST, PORT, TLS_PORT = "127.0.0.1", 1883, 8883
PATIENCE = 300      # seconds that a broker may take to start; Erlang takes long


class Missing(Exception):
    """This broker isn't installed here."""


class Certificate:
    """What brokers show to clients, which know it: it is its own authority."""

    def __init__(self, work):
        self.path, self.key = Path(work) / "server.pem", Path(work) / "server.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
             "-nodes", "-days", "10", "-subj", "/CN=localhost", "-addext",
             f"subjectAltName=IP:{HOST}", "-keyout", self.key, "-out", self.path],
            check=True, capture_output=True)

    def options(self):
        """Of a listener of mosquitto and of kmqtt, which are to choose the same cipher."""
        return f"""\
certfile {self.path}
keyfile {self.key}
ciphers_tls1.3 TLS_AES_128_GCM_SHA256
"""


class Rules:
    """Who may do what: `number` rules, of which the last ones allow what the generator does."""

    def __init__(self, work, number):
        self.path = Path(work) / "acl"
        others = [f"topic readwrite plant/{i}/+/state" for i in range(number - 2)]
        self.path.write_text("\n".join([*others, "pattern readwrite clients/%c/#",
                                        "topic readwrite kmqtt-bench/#", ""]))
        # Mosquitto doesn't take one that others may read without a word.
        self.path.chmod(0o600)

    def options(self):
        return f"acl_file {self.path}\n"


class Broker:
    """A process that listens, with TLS if it has a certificate, and its children."""

    name = "?"

    def __init__(self, work, certificate=None, rules=None):
        self.work = Path(work) / self.name
        self.work.mkdir(parents=True, exist_ok=True)
        self.certificate = certificate
        self.rules = rules
        self.port = TLS_PORT if certificate else PORT
        self.child = None

    def listening(self):
        try:
            socket.create_connection((HOST, self.port), 5).close()
        except OSError:
            return False
        return True

    def generator_options(self):
        """What tells the generator where it is."""
        options = ["-h", HOST, "-p", str(self.port)]
        if self.certificate:
            options += ["--tls", str(self.certificate.path), "--tls-version", "1.3"]
        return options

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {}

    def version(self):
        return ""

    def start(self, cpu=None):
        command = [str(word) for word in self.command()]
        if cpu is not None:
            command = ["taskset", "-c", str(cpu), *command]
        self.child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=open(self.work / "stderr", "ab"), start_new_session=True,
            env={**os.environ, **self.environment()},
        )  # fmt: skip
        end = time.monotonic() + PATIENCE
        while not self.listening():
            if self.child.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.name} doesn't listen: {self.error()}")
            time.sleep(0.05)

    def error(self):
        return (self.work / "stderr").read_text(errors="replace")[-500:]

    def stop(self):
        try:
            os.killpg(self.child.pid, signal.SIGTERM)
            self.child.wait(30)
        except (ProcessLookupError, subprocess.TimeoutExpired):
            os.killpg(self.child.pid, signal.SIGKILL)
            self.child.wait()
        while self.listening():
            time.sleep(0.05)

    def pids(self):
        """All processes of its session."""
        pids = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    fields = (entry / "stat").read_text().rpartition(")")[2].split()
                except OSError:
                    continue
                if int(fields[3]) == self.child.pid:
                    pids.append(int(entry.name))
        return pids

    def cpu_options(self):
        """What tells the generator whose CPU time to report."""
        return [word for pid in self.pids() for word in ("--pid", str(pid))]


def find(program):
    path = shutil.which(program, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/opt/bin")
    if not path:
        raise Missing(program)
    return path


class Kmqtt(Broker):
    """The module; there is no process but the one for handshakes of TLS."""

    name = "kmqtt"
    LIMITS = """
        max-connections 1000000 max-connections-per-source 1000000 max-sessions 2000000
        max-subscriptions 2000000 max-retained 2000000 max-memory 2G
        max-queued-messages 1000000 max-queued-bytes 1G
        sys-interval 0"""

    def command(self):
        return [AGENT]

    def start(self, cpu=None):
        conf = self.work / "kmqtt.conf"
        lines = f"listener {self.port} {HOST}\nallow_anonymous true\n"
        if self.certificate:
            # Of the first handshake the clock sees that modules are loaded.
            lines += f"{self.certificate.options()}kmqtt_handshake_timeout {PATIENCE}\n"
        if self.rules:
            lines += self.rules.options()
        conf.write_text(lines)
        subprocess.run(["insmod", KO], check=True)
        subprocess.run([CTL, "load", conf], check=True)
        subprocess.run([CTL, "broker", "set", *self.LIMITS.split()], check=True)
        if self.certificate:
            super().start(cpu)

    def stop(self):
        if self.child:
            super().stop()
        subprocess.run(["rmmod", "kmqtt"], check=True)

    def version(self):
        out = subprocess.run(["modinfo", "-F", "version", KO], capture_output=True, text=True,
                             check=True)
        return out.stdout.strip()

    def pids(self):
        return super().pids() if self.child else []

    def cpu_options(self):
        return ["--kworker", "kmqtt", *super().cpu_options()]


class Mosquitto(Broker):
    """Debian's."""

    name = "mosquitto"

    def command(self):
        conf = self.work / "mosquitto.conf"
        # Only root may read the key, and the rules.
        more = [it.options() for it in (self.certificate, self.rules) if it]
        secure = "".join(["user root\n", *more] if more else "")
        conf.write_text(f"""\
listener {self.port} {HOST}
allow_anonymous true
persistence false
log_dest none
set_tcp_nodelay true
max_queued_messages 0
max_queued_bytes 0
max_inflight_messages 0
sys_interval 0
{secure}""")
        return [find("mosquitto"), "-c", conf]

    def version(self):
        out = subprocess.run([find("mosquitto"), "-h"], capture_output=True, text=True, check=False)
        return out.stdout.split("\n")[0].rpartition(" ")[2]


class Aedes(Broker):
    """For Node.js; setup installs it."""

    name = "aedes"

    def command(self):
        modules = BUILD / "bench/node_modules"
        if not (modules / "aedes").exists():
            raise Missing(self.name)
        return [find("node"), Path(__file__).parent / "aedes.js", HOST, PORT]

    def environment(self):
        return {"NODE_PATH": str(BUILD / "bench/node_modules"), "NODE_ENV": "production"}

    def version(self):
        import json     # pylint: disable=import-outside-toplevel
        package = BUILD / "bench/node_modules/aedes/package.json"
        return json.loads(package.read_text())["version"] if package.exists() else ""


class RabbitMQ(Broker):
    """With its MQTT plugin; has no QoS 2."""

    name = "rabbitmq"

    def command(self):
        server = find("rabbitmq-server")
        (self.work / "plugins").write_text("[rabbitmq_mqtt].\n")
        (self.work / "rabbitmq.conf").write_text(f"""\
mqtt.listeners.tcp.1 = {HOST}:{PORT}
mqtt.tcp_listen_options.nodelay = true
mqtt.allow_anonymous = true
listeners.tcp = none
""")
        return [server]

    def environment(self):
        return {"RABBITMQ_ENABLED_PLUGINS_FILE": str(self.work / "plugins"),
                "RABBITMQ_CONFIG_FILE": str(self.work / "rabbitmq.conf"),
                "RABBITMQ_MNESIA_BASE": str(self.work / "mnesia"),
                "RABBITMQ_LOG_BASE": str(self.work), "HOME": str(self.work)}


class FlashMQ(Broker):
    name = "flashmq"

    def command(self):
        conf = self.work / "flashmq.conf"
        conf.write_text(f"""\
allow_anonymous true
thread_count {os.cpu_count()}
log_level error
listen {{
    protocol mqtt
    port {PORT}
    inet4_bind_address {HOST}
    tcp_nodelay true
}}
""")
        return [find("flashmq"), "-c", conf]


class NanoMQ(Broker):
    name = "nanomq"

    def command(self):
        return [find("nanomq"), "start", "--url", f"nmq-tcp://{HOST}:{PORT}"]


class Emqx(Broker):
    name = "emqx"

    def command(self):
        return [find("emqx"), "foreground"]

    def environment(self):
        return {"EMQX_LISTENERS__TCP__DEFAULT__BIND": f"{HOST}:{PORT}",
                "EMQX_NODE__DATA_DIR": str(self.work)}


class Relay(Broker):
    """No broker: reads, and writes the same bytes to each subscriber. The floor
    of what a process can do.
    """

    name = "relay"

    def command(self):
        return [BENCH, "relay", "-h", HOST, "-p", PORT]


class Other(Broker):
    """$BROKER, a command that listens on PORT."""

    name = "other"

    def command(self):
        if not os.environ.get("BROKER"):
            raise Missing("BROKER")
        return shlex.split(os.environ["BROKER"])


ALL = [Relay, Kmqtt, Mosquitto, FlashMQ, NanoMQ, Emqx, Aedes, RabbitMQ, Other]
# Those that take the same options for TLS and for rules.
WITH_OPTIONS = [Kmqtt, Mosquitto]
