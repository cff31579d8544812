#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Make Documentation/protocol.rst: for each statement, what implements and what tests it.

    table.py            write it
    table.py --check    tell whether it is up to date, by the exit status

What the specification leaves open is written by hand, in protocol.rst.in.

The sources refer to a statement as [MQTT-3.3.1-5], or to several as [MQTT-3.3.2-15] to
[MQTT-3.3.2-18]. The versions number their statements afresh: a number that both have is
that of 3.1.1, and that of 5.0 as well if it says the same there (see SAME), while
[MQTT5-3.3.1-5] is always that of 5.0.
"""

import ast
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent
OUTPUT = TOP / "Documentation" / "protocol.rst"
KINDS = ("server", "client", "untestable")

# Marker of the tests: table of the statements.
TABLES = {"mqtt": "statements-3.1.1.txt", "mqtt5": "statements-5.0.txt"}

# Numbers that mean the same in 3.1.1 and in 5.0.
SAME = {"MQTT-" + number for number in """
    3.1.0-1 3.1.0-2 3.1.2-3 3.1.2-9 3.1.2-10 3.1.3-1 3.1.3-2 3.1.3-3 3.1.3-4 3.1.3-5 3.1.3-6
    3.1.4-1 3.2.0-1 3.3.1-1 3.3.1-2 3.3.1-3 3.3.1-4 3.3.1-5 3.3.2-1 3.3.2-2 3.3.2-3 3.3.4-1
    3.6.1-1 3.8.1-1 3.8.3-1 3.8.4-1 3.8.4-2 3.9.3-1 3.10.1-1 3.10.3-1 3.10.3-2 3.10.4-1
    3.10.4-2 3.10.4-3 3.10.4-6 3.12.4-1 3.14.1-1 3.14.4-3 4.3.1-1 4.4.0-1 4.5.0-1 4.7.2-1
    4.7.3-1 4.7.3-2 4.7.3-3 4.7.3-4 6.0.0-1 6.0.0-2 6.0.0-4""".split()}

# One number or a range; between the two there may be the stars of a comment.
REFERENCE = re.compile(r"\[MQTT(5?)-([\d.-]+)-(\d+)\](?:[\s*]+to[\s*]+\[MQTT5?-\2-(\d+)\])?")
FUNCTION = re.compile(r"^[A-Za-z_][^;=]*?\b(\w+)\([^;]*$")


# ------------------------------------------------------------------- inputs

def statements(version):
    """The statements of a version: number -> (kind, words)."""
    table = {}
    for line in (HERE / TABLES[version]).read_text().splitlines():
        if line and not line.startswith("#"):
            number, kind, words = line.split(None, 2)
            assert number not in table, f"{number} is there twice"
            assert kind in KINDS, f"{number}: what is {kind}?"
            table[number] = (kind, words)
    return table


def markers(version):
    """What the tests are marked with: number -> names of tests."""
    found, wanted = {}, f"pytest.mark.{version}"
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef):
                continue
            for mark in node.decorator_list:
                if not (isinstance(mark, ast.Call) and ast.unparse(mark.func) == wanted):
                    continue
                assert node.name.startswith("test_"), f"{node.name} is no test"
                for arg in mark.args:
                    found.setdefault(arg.value, []).append(f"{path.name}::{node.name}")
    return found


def functions(lines):
    """The functions of a C file: (first line, last line, name), in their order."""
    found, start, name = [], None, None
    for i, line in enumerate(lines):
        if start is None and (match := FUNCTION.match(line)) and not line.startswith("typedef"):
            start, name = i, match.group(1)
        elif start is not None and line.startswith("}"):
            found.append((start, i, name))
            start = None
        elif start is not None and line.rstrip().endswith(";") and "{" not in \
                "".join(lines[start:i + 1]):
            start = None                # a declaration over several lines
    return found


def place(lines, at, known):
    """The function that a line is in, or the one that a comment is in front of."""
    for start, end, name in known:
        if start <= at <= end:
            return name
        if start > at:
            between = "\n".join(lines[at:start])
            return name if not re.search(r"^[}\w#]", between, re.M) else None
    return None


def references():
    """Where the sources refer to statements: (version, number) -> {(file, function or None)}."""
    tables = {version: statements(version) for version in TABLES}
    found, unknown = {}, []
    for path in sorted((TOP / "kmqtt").rglob("*.[ch]")):
        inside = path.relative_to(TOP / "kmqtt")
        if inside.parts[0] == "tests" or path.name.endswith(".mod.c"):
            continue
        text = path.read_text()
        lines = text.split("\n")
        known = functions(lines)
        for match in REFERENCE.finditer(text):
            only5, section, first, last = match.groups()
            at = text.count("\n", 0, match.start())
            where = (str(inside), place(lines, at, known))
            for i in range(int(first), int(last or first) + 1):
                # The specification itself has misprinted one as 3-8.3-4.
                number = f"MQTT-{section.replace('-', '.')}-{i}"
                versions = [v for v in TABLES if number in tables[v]]
                if only5:
                    versions = [v for v in versions if v == "mqtt5"]
                elif len(versions) > 1 and number not in SAME:
                    versions = ["mqtt"]
                if not versions:
                    unknown.append(f"{inside}:{at + 1}: {match.group()}")
                for version in versions:
                    found.setdefault((version, number), set()).add(where)
    return found, unknown


# ------------------------------------------------------------------- output

def code(where):
    """The places as one cell: functions by file."""
    files = {}
    for path, function in sorted(where, key=lambda w: (w[0], w[1] or "")):
        files.setdefault(path, []).append(f"{function}()" if function else "")
    return [f"``{path}``" + (": " + ", ".join(filter(None, names)) if any(names) else "")
            for path, names in files.items()]


def tests(names):
    """The tests as one cell: names by file, without what all have in common."""
    files = {}
    for name in names:
        path, function = name.split("::")
        files.setdefault(path, []).append(function.removeprefix("test_"))
    return [f"``{path}``: {', '.join(dict.fromkeys(found))}" for path, found in files.items()]


def cell(parts):
    return "; ".join(parts) if parts else ""


def table(version, where):
    """The rows of a version, as a reStructuredText table."""
    out = [".. list-table::", "   :header-rows: 1", "   :widths: 12 30 28 30", ""]
    marked = markers(version)

    def row(*cells):
        for i, text in enumerate(cells):
            out.append(f"   {'*' if i == 0 else ' '} - {text}".rstrip())

    row("Statement", "In short", "Code", "Tests")
    for number, (kind, words) in statements(version).items():
        done = cell(tests(marked.get(number, [])))
        if kind != "server":
            done = {"client": "binds clients", "untestable": "can't be tested"}[kind]
        row(number.removeprefix("MQTT-"), words.replace("*", "\\*"),
            cell(code(where.get((version, number), ()))), done)
    return "\n".join(out)


def make():
    """The whole page."""
    where, _ = references()
    text = (HERE / "protocol.rst.in").read_text()
    for version, name in TABLES.items():
        text = text.replace(f"@{name.removeprefix('statements-').removesuffix('.txt')}@",
                            table(version, where))
    return text


def main():
    if sys.argv[1:] == ["--check"]:
        return OUTPUT.exists() and OUTPUT.read_text() == make()
    if sys.argv[1:]:
        print(__doc__, file=sys.stderr)
        return False
    OUTPUT.write_text(make())
    return True


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
