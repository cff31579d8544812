# SPDX-License-Identifier: GPL-2.0
"""A pytest plugin that reports as KTAP instead of pytest's own way."""

import pytest


def pytest_addoption(parser):
    parser.addoption("--ktap", action="store_true", help="report as KTAP")


@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    """After pytest has made its own reporter, which then has nothing to do."""
    if config.getoption("ktap"):
        config.pluginmanager.unregister(name="terminalreporter")
        config.pluginmanager.register(Reporter())
        say("KTAP version 1")


def say(text):
    print(text, flush=True)


def comment(text):
    for line in str(text).splitlines():
        say(f"# {line}" if line else "#")


class Reporter:
    """One line for each test, its diagnostics before it."""

    def __init__(self):
        self.count = self.failed = 0
        self.reports = None

    def line(self, good, name, directive=""):
        self.count += 1
        self.failed += not good
        # A bare number sign would begin a directive.
        name = name.replace("#", "\\#").encode("ascii", "backslashreplace").decode()
        say(f"{'' if good else 'not '}ok {self.count} - {name}{directive}")

    def pytest_collectreport(self, report):
        if report.failed:
            comment(report.longrepr)
            say(f"Bail out! {report.nodeid} can't be loaded")

    def pytest_collection_finish(self, session):
        say(f"1..{len(session.items)}")

    def pytest_runtest_logreport(self, report):
        """A test is up to three reports: it is good if all of them are."""
        if report.when == "setup":
            self.reports = []
        self.reports.append(report)
        if report.when != "teardown":
            return
        bad = [r for r in self.reports if r.failed]
        for one in bad:
            comment(f"{one.when}: {one.longrepr}" if one.when != "call" else one.longrepr)
            for title, text in one.sections:
                comment(f"{title}:\n{text}")
        skipped = any(r.skipped for r in self.reports)
        self.line(not bad, report.nodeid, " # SKIP" if skipped and not bad else "")

    def pytest_internalerror(self, excrepr):
        comment(excrepr)
        say("Bail out! error in the test suite")

    def pytest_keyboard_interrupt(self, excinfo):
        comment(excinfo.value)
        say(f"Bail out! {str(excinfo.value) or 'interrupted'}".splitlines()[0])

    def pytest_sessionfinish(self):
        comment(f"{self.count - self.failed} passed, {self.failed} failed")
