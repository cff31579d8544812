# SPDX-License-Identifier: GPL-2.0
"""Every statement that binds a server has a test, and every marker means one."""

import pytest

import table


@pytest.mark.parametrize("version", table.TABLES)
def test_every_server_statement_has_a_test(version):
    marked = table.markers(version)
    missing = [f"{number} {words}" for number, (kind, words) in table.statements(version).items()
               if kind == "server" and number not in marked]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("version", table.TABLES)
def test_every_marker_names_a_server_statement(version):
    known = table.statements(version)
    odd = [f"{number} ({known.get(number, ['unknown'])[0]}): {', '.join(tests)}"
           for number, tests in table.markers(version).items()
           if known.get(number, ["unknown"])[0] != "server"]
    assert not odd, "\n".join(odd)


def test_every_reference_names_a_statement():
    _, unknown = table.references()
    assert not unknown, "\n".join(unknown)


def test_statements_that_are_the_same_are_in_both_versions():
    for version in table.TABLES:
        assert not table.SAME - set(table.statements(version))


def test_documentation_is_up_to_date():
    assert table.OUTPUT.read_text() == table.make(), "run tests/conformance/table.py"
