# SPDX-License-Identifier: GPL-2.0
"""The kernels that guests boot: where they are, and their initramfs."""

import hashlib
import lzma
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kmqtt"

# What a kernel of the distribution needs to reach its root over 9p, and to
# have a network. The debug kernel has it all built in.
MODULES = ("9p", "9pnet_virtio", "overlay", "virtio_net")
# And what it needs to keep its changes on a disk, which few guests do.
DISK_MODULES = ("virtio_blk", "ext4")


class Kernel:
    """A kernel to boot."""

    def __init__(self, release, image, microvm, modular):
        self.release = release
        self.image = image
        self.microvm = microvm
        self.modular = modular

    def module_files(self, modules):
        """The files of modules and of what they need, each after its needs."""
        files = []
        for module in modules if self.modular else ():
            output = subprocess.check_output(
                ["modprobe", "-S", self.release, "--show-depends", module], text=True
            )
            for line in output.splitlines():
                verb, name = line.split()[:2]
                if verb == "insmod" and Path(name) not in files:
                    files.append(Path(name))
        return files

    def initramfs(self):
        """The path of this kernel's initramfs, made if it isn't there yet."""
        init = (HERE / "init").read_bytes()
        guest = (HERE / "guest").read_bytes()
        busybox = Path("/bin/busybox").read_bytes()
        modules = self.module_files(MODULES)
        disk_modules = self.module_files(DISK_MODULES)
        key = hashlib.sha256(init + guest + busybox + self.release.encode())
        for path in modules + disk_modules:
            key.update(f"{path} {path.stat().st_mtime_ns}".encode())
        CACHE.mkdir(parents=True, exist_ok=True)
        result = CACHE / f"initramfs-{self.release}-{key.hexdigest()[:16]}.cpio"
        if result.exists():
            return result
        for old in CACHE.glob(f"initramfs-{self.release}-*"):
            old.unlink()

        archive = Archive()
        for directory in ("bin", "dev", "modules"):
            archive.directory(directory)
        # The console that the kernel opens for init, before devtmpfs is there.
        archive.character_device("dev/console", 5, 1)
        archive.file("init", init)
        archive.file("guest", guest)
        archive.file("bin/busybox", busybox)
        for order, paths in (("order", modules), ("disk-order", disk_modules)):
            names = []
            for path in paths:
                data = path.read_bytes()
                if path.suffix == ".xz":
                    data = lzma.decompress(data)
                name = path.name.removesuffix(".xz")
                archive.file(f"modules/{name}", data)
                names.append(name)
            archive.file(f"modules/{order}", " ".join(names).encode())
        new = result.with_suffix(f".{os.getpid()}")
        new.write_bytes(archive.bytes())
        new.rename(result)
        return result


class Archive:
    """A cpio archive in the format "newc"."""

    def __init__(self):
        self.data = bytearray()
        self.entries = 0

    def _entry(self, name, mode, data=b"", device=(0, 0)):
        self.entries += 1
        fields = (self.entries, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(name) + 1, 0)
        self.data += b"070701" + b"".join(b"%08x" % field for field in fields)
        self.data += name.encode() + b"\0"
        self._pad()
        self.data += data
        self._pad()

    def _pad(self):
        self.data += bytes(-len(self.data) % 4)

    def directory(self, name):
        self._entry(name, 0o040755)

    def file(self, name, data):
        self._entry(name, 0o100755, data)

    def character_device(self, name, major, minor):
        self._entry(name, 0o020600, device=(major, minor))

    def bytes(self):
        self._entry("TRAILER!!!", 0)
        return bytes(self.data)


def release_key(release):
    """Sorts releases such as 6.12.9 before 6.12.10."""
    return [int(part) for part in release.split("+")[0].split("-")[0].split(".")]


def stock():
    """The newest 6.12 kernel of the distribution that is installed."""
    releases = [
        path.name.removeprefix("vmlinuz-")
        for path in Path("/boot").glob("vmlinuz-6.12.*-amd64")
        if "-rt-" not in path.name and "-cloud-" not in path.name
    ]
    if not releases:
        sys.exit("vm: no 6.12 kernel is installed; `make deps` installs one")
    release = max(releases, key=release_key)
    return Kernel(release, Path("/boot") / f"vmlinuz-{release}", microvm=False, modular=True)


def debug():
    """The debug kernel; tests/vm/debug-kernel builds it."""
    tree = subprocess.check_output([HERE / "debug-kernel", "path"], text=True).strip()
    release = Path(tree, "include/config/kernel.release")
    if not Path(tree, "built").exists():
        sys.exit("vm: there is no debug kernel yet; `make debug-kernel` builds it")
    return Kernel(release.read_text().strip(), Path(tree, "vmlinux"), microvm=True, modular=False)


def find(name):
    return {"stock": stock, "debug": debug}[name]()
