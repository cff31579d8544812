#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Do the module's files include only headers of their own floor or lower?

The floors are those of Documentation/architecture.rst. Files of no room (the
broker, statistics, tracepoints) belong to no floor.
"""
import os
import re
from pathlib import Path

FLOORS = {"wire": 0, "topic": 1, "session": 2, "access": 2, "protocol": 3,
          "net": 4, "control": 5}
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)
SOCKETS = re.compile(r"^#include <net/(sock|tcp)\.h>", re.M)


def floor(path):
    parts = Path(os.path.relpath(path, "kmqtt")).parts
    return FLOORS.get(parts[0]) if len(parts) > 1 else None


for source in sorted(Path("kmqtt").rglob("*.[ch]")):
    text = source.read_text()
    room = source.parts[1]
    if room == "tests":
        continue
    here = floor(source)
    for name in INCLUDE.findall(text):
        there = floor(os.path.normpath(source.parent / name))
        if here is not None and there is not None and there > here:
            print(f"{source} (floor {here}) includes {name} (floor {there})")
    if SOCKETS.search(text) and room != "net":
        print(f"{source} deals with sockets")
