# SPDX-License-Identifier: GPL-2.0
"""Every statement that binds a server has a test, and every marker means one."""

import ast
import pathlib

import pytest

HERE = pathlib.Path(__file__).parent
KINDS = ("server", "client", "untestable")

# A version of the protocol numbers its statements afresh, so each has a marker of its own.
TABLES = {"mqtt": "statements-3.1.1.txt"}


def statements(version):
    """The table: number -> (kind, words)."""
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


@pytest.mark.parametrize("version", TABLES)
def test_every_server_statement_has_a_test(version):
    marked = markers(version)
    missing = [f"{number} {words}" for number, (kind, words) in statements(version).items()
               if kind == "server" and number not in marked]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("version", TABLES)
def test_every_marker_names_a_server_statement(version):
    table = statements(version)
    odd = [f"{number} ({table.get(number, ['unknown'])[0]}): {', '.join(tests)}"
           for number, tests in markers(version).items()
           if table.get(number, ["unknown"])[0] != "server"]
    assert not odd, "\n".join(odd)
