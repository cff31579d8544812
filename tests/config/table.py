#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Make Documentation/mosquitto-options.rst: each option, and what becomes of it.

    table.py            write it
    table.py --check    tell whether it is up to date, by the exit status

The options are those that kmqttctl in build/tools, or $KMQTT_CTL, says that it has; what
there is to say of them as a whole is written by hand, in options.rst.in.
"""

import json
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
OUTPUT = TOP / "Documentation" / "mosquitto-options.rst"
CTL = os.environ.get("KMQTT_CTL") or TOP / "build/tools/kmqttctl"

PARTS = (
    ("Options of the broker", ("broker",)),
    ("Options of listeners", ("listener",)),
    ("Options of either", ("broker or listener",)),
    ("Options of bridges", ("bridge",)),
)


def literal(text):
    return f"``{text}``"


def here(option):
    """How it fares, as the table has it."""
    if option["fate"] == "honoured" and "setting" in option:
        return f"honoured: {literal(option['setting'])}"
    if "unless" in option:
        return f"only {literal(option['unless'])}"
    return option["fate"]


def table(options):
    rows = [("Option", "Value", "Here", "How, or why")]
    rows += [(literal(option["name"]), option["value"], here(option), option["text"])
             for option in options]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    rule = "  ".join("=" * width for width in widths)
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
             for row in rows]
    return "\n".join([rule, lines[0], rule, *lines[1:], rule])


def make():
    options = json.loads(subprocess.check_output([CTL, "-j", "load", "--options"]))
    theirs = [option for option in options if not option["name"].startswith("kmqtt_")]
    parts = [(title, [option for option in theirs if option["scope"] in scopes])
             for title, scopes in PARTS]
    parts.append(("Options of our own", [option for option in options if option not in theirs]))
    assert sum(len(part) for _, part in parts) == len(options)
    text = "\n\n".join(f"{title}\n{'=' * len(title)}\n\n{table(part)}" for title, part in parts)
    return (HERE / "options.rst.in").read_text().replace("@OPTIONS@", text)


def main():
    text = make()
    if sys.argv[1:] != ["--check"]:
        OUTPUT.write_text(text)
    elif not OUTPUT.exists() or OUTPUT.read_text() != text:
        sys.exit(f"{OUTPUT.name} is out of date: run tests/config/table.py")


if __name__ == "__main__":
    main()
