# SPDX-License-Identifier: GPL-2.0
"""`make install` into a directory: what gets where. Nothing is built for that: the guests of
other tests have what is in build/, so it is skipped if what is there isn't of these sources."""

import os
import pathlib
import subprocess

import pytest

TOP = pathlib.Path(__file__).resolve().parents[2]
BUILD = TOP / "build"
MODULE = BUILD / "stock/kmqtt/kmqtt.ko"
TOOLS = {"kmqttctl": "sbin", "kmqttd": "sbin", "kmqtt-bench": "bin"}
RELEASE = subprocess.check_output([TOP / "tests/vm/release"], text=True).strip()

PAGES = {f"man{page.suffix[1:]}/{page.name}": page
         for page in (TOP / "Documentation/man").iterdir()}
UNITS = {unit.name: unit for unit in (TOP / "tools/systemd").iterdir()
         if unit.suffix in (".service", ".timer", ".socket", ".path", ".target")}


def clean_environment():
    """Without what another make, of which this is a part, was told."""
    told = ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "KDIR", "DESTDIR", "PREFIX",
            "BINDIR", "SBINDIR", "MANDIR", "SYSCONFDIR", "UNITDIR", "COMPLETIONDIR", "O", "V")
    return {name: value for name, value in os.environ.items() if name not in told}


def make(*args, check=True):
    got = subprocess.run(["make", "-C", TOP, *args], check=False, env=clean_environment(),
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    assert not check or got.returncode == 0, got.stdout
    return got.returncode


def is_copied(source):
    """Is it where the module is built, so that it is no reason to build it again?"""
    copy = BUILD / "stock" / source.relative_to(TOP)
    return copy.exists() and source.stat().st_size == copy.stat().st_size and \
        int(source.stat().st_mtime) == int(copy.stat().st_mtime)


def is_built():
    sources = [path for folder in ("kmqtt", "include") for path in (TOP / folder).rglob("*")
               if path.is_file()]
    return MODULE.exists() and modinfo(MODULE, "vermagic").split()[0] == RELEASE and \
        all(map(is_copied, sources)) and \
        not any(make("-q", "-C", f"tools/{folder}", check=False)
                for folder in ("kmqttctl", "kmqttd", "bench"))


def modinfo(module, field):
    return subprocess.check_output(["/sbin/modinfo", "-F", field, module], text=True).strip()


def version():
    text = (TOP / "kmqtt/version.h").read_text()
    return text.split('define KMQTT_VERSION "')[1].split('"')[0]


@pytest.fixture(scope="session", name="built")
def fixture_built():
    if not is_built():
        pytest.skip("build/ is not of these sources")


@pytest.fixture(scope="module", name="dest")
def fixture_dest(built, tmp_path_factory):
    """Where it is installed, all of it."""
    dest = tmp_path_factory.mktemp("dest")
    results = [MODULE, *(BUILD / "tools" / tool for tool in TOOLS)]
    before = [path.stat().st_mtime_ns for path in results]
    make("install", f"KDIR=/lib/modules/{RELEASE}/build", f"DESTDIR={dest}")
    assert [path.stat().st_mtime_ns for path in results] == before
    return dest


def files(root):
    return {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}


def same_text(installed, source):
    assert installed.read_text() == source.read_text(), source


def test_files(dest):
    """These and no others."""
    module = "lib/modules/" + RELEASE + "/updates/kmqtt.ko"
    want = {*(f"usr/{folder}/{tool}" for tool, folder in TOOLS.items()),
            *(f"usr/share/man/{page}" for page in PAGES),
            *(f"lib/systemd/system/{unit}" for unit in UNITS),
            "usr/share/bash-completion/completions/kmqttctl",
            "etc/kmqtt/kmqtt.conf", "etc/modprobe.d/kmqtt.conf"}
    got = files(dest)
    # The kernel may want it compressed.
    assert {name.removesuffix(".xz").removesuffix(".zst").removesuffix(".gz")
            for name in got if name.startswith("lib/modules")} == {module}
    assert {name for name in got if not name.startswith("lib/modules")} == want
    assert (dest / "etc/kmqtt/conf.d").is_dir()
    for name, path in got.items():
        program = name in {f"usr/{folder}/{tool}" for tool, folder in TOOLS.items()}
        assert path.stat().st_mode & 0o777 == (0o755 if program else 0o644), name


def test_module(dest):
    module, = (path for name, path in files(dest).items() if name.startswith("lib/modules"))
    assert modinfo(module, "version") == version()
    assert modinfo(module, "vermagic") == modinfo(MODULE, "vermagic")


def test_contents(dest):
    for tool, folder in TOOLS.items():
        said = subprocess.check_output([dest / "usr" / folder / tool, "--version"], text=True)
        assert said == f"{tool} {version()}\n"
    for name, page in PAGES.items():
        same_text(dest / "usr/share/man" / name, page)
    for name, unit in UNITS.items():
        same_text(dest / "lib/systemd/system" / name, unit)
    same_text(dest / "usr/share/bash-completion/completions/kmqttctl",
              TOP / "tools/completion/kmqttctl.bash")
    same_text(dest / "etc/kmqtt/kmqtt.conf", TOP / "tools/systemd/kmqtt.conf")
    same_text(dest / "etc/modprobe.d/kmqtt.conf", TOP / "tools/systemd/modprobe.conf")


def test_elsewhere(built, tmp_path):
    """Units name programs and files where they are; DESTDIR need not be a whole path."""
    make("tools-install", f"DESTDIR={os.path.relpath(tmp_path, TOP)}", "PREFIX=/opt/kmqtt",
         "SYSCONFDIR=/opt/etc", "UNITDIR=/opt/units")
    got = files(tmp_path)
    assert {name.split("/")[0] for name in got} == {"opt"}
    for name in UNITS:
        text = got[f"opt/units/{name}"].read_text()
        assert "/usr/sbin/" not in text and " /etc/" not in text, name
    text = got["opt/units/kmqtt.service"].read_text()
    assert "ExecStart=/opt/kmqtt/sbin/kmqttctl load /opt/etc/kmqtt/kmqtt.conf\n" in text
    assert "include_dir /opt/etc/kmqtt/conf.d\n" in got["opt/etc/kmqtt/kmqtt.conf"].read_text()
    for tool, folder in TOOLS.items():
        assert f"opt/kmqtt/{folder}/{tool}" in got
    for page in PAGES:
        assert f"opt/kmqtt/share/man/{page}" in got


def test_again(built, tmp_path):
    """What is configured stays, all else is new."""
    make("tools-install", f"DESTDIR={tmp_path}")
    mine = [tmp_path / "etc/kmqtt/kmqtt.conf", tmp_path / "etc/modprobe.d/kmqtt.conf",
            tmp_path / "etc/kmqtt/conf.d/mine.conf"]
    for path in (*mine, tmp_path / "lib/systemd/system/kmqtt.service"):
        path.write_text("mine\n")
    make("tools-install", f"DESTDIR={tmp_path}")
    assert [path.read_text() for path in mine] == ["mine\n"] * 3
    same_text(tmp_path / "lib/systemd/system/kmqtt.service", UNITS["kmqtt.service"])
