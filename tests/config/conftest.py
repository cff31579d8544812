# SPDX-License-Identifier: GPL-2.0
"""Fixtures of the tests of configuration files."""

import json
import os
import subprocess

import pytest

CTL = os.environ["KMQTT_CTL"]


class Directory:
    """A directory for files, in which kmqttctl runs."""

    def __init__(self, path):
        self.path = path

    def write(self, name, content):
        path = self.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def check(self, name="main.conf", *, options=("-j",), command=("load", "--check"), **kw):
        return subprocess.run([CTL, *options, *command, name], cwd=self.path, check=False,
                              capture_output=True, timeout=60, **kw)

    def good(self, main=None, notes=(), **files):
        """What was read; the notes are all that is said."""
        if main is not None:
            self.write("main.conf", main)
        for file, content in files.items():
            self.write(file, content)
        got = self.check()
        assert got.stderr.decode().splitlines() == list(notes)
        assert got.returncode == 0
        return json.loads(got.stdout)

    def bad(self, main, *errors, **files):
        """These are all the lines of complaint, in this order."""
        self.write("main.conf", main)
        for file, content in files.items():
            self.write(file, content)
        got = self.check()
        assert got.stderr.decode().splitlines() == list(errors)
        assert got.returncode == 2
        assert not got.stdout


@pytest.fixture
def conf(tmp_path):
    return Directory(tmp_path)
