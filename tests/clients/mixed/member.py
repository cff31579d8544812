#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""Paho Python's part in ./run: a client of each version.

    member.py HOST PORT BASE
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)),
                                "../paho-python"))
from peer import Peer, Target  # noqa: E402 # pylint: disable=C0413

LIBRARIES = ("mosquitto", "mqttjs", "paho-c", "paho-python")
VERSIONS = ("3.1", "3.1.1", "5.0")


def properties_from(library):
    return {"ContentType": "text/plain", "UserProperty": [("from", library)]}


def listen(peer, base, version, messages):
    missing = {f"{base}/all/{library}/{other}":
               properties_from(library) if version == other == "5.0" else {}
               for library in LIBRARIES for other in VERSIONS}
    while missing:
        got = messages.pop(0) if messages else peer.next()
        wanted = missing.pop(got.topic)
        assert (got.payload, got.properties) == (b"hello", wanted), \
            f"{version}: got {got}, expected {wanted}"


def main():
    host, port, base = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    scale = int(os.environ.get("KMQTT_TIMEOUT_SCALE") or 1)
    tag = os.environ.get("KMQTT_CLIENTS_TAG") or os.getpid()
    peers = {version: Peer(Target(host, port, version, 30 * scale,
                                  min(60 * scale, 65535)),
                           f"{tag}-mixpy{version}") for version in VERSIONS}
    first = peers["3.1"]
    early = []

    for peer in peers.values():
        peer.subscribe(f"{base}/all/#", 1)
    first.subscribe(f"{base}/go", 1)
    first.publish(f"{base}/ready/paho-python", "ready", 1, retain=True)
    while (got := first.next()).topic != f"{base}/go":
        early.append(got)
    for version, peer in peers.items():
        peer.publish(f"{base}/all/paho-python/{version}", "hello", 1,
                     properties=properties_from("paho-python")
                     if version == "5.0" else None)
    for version, peer in peers.items():
        listen(peer, base, version, early if peer is first else [])
        peer.disconnect()


if __name__ == "__main__":
    try:
        main()
    except Exception as error:
        # The network threads of the clients would go on.
        print(f"paho-python: {error!r}", flush=True)
        os._exit(1)
