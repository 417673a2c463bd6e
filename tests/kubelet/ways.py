"""Two ways to give a process the files that a container has at fixed, absolute paths.

`Namespaces`: a mount namespace and a root of its own, read-only, in which only the mounts are, and
what it takes to run Python. It runs as the container's user, without capabilities. Wants root.
`Rewriting`: where that is not to be had. The paths are rewritten, in the command, the environment
and the files, to where the volumes are.
"""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

ROOT = Path(__file__).parents[2]
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/dev", "/proc")
_ETC = ("ssl", "resolv.conf", "hosts", "nsswitch.conf", "localtime", "ld.so.cache", "passwd")


@dataclass(frozen=True, slots=True)
class Mount:
    volume: Path
    at: str
    """In the container."""
    read_only: bool


class Way(Protocol):
    def start(
        self, command: Sequence[str], env: Mapping[str, str], mounts: Sequence[Mount]
    ) -> Sequence[str]:
        """The command that runs it here."""

    def content(self, raw: bytes, mounts: Sequence[Mount]) -> bytes:
        """Of a file in a volume."""


class Rewriting:
    def start(
        self, command: Sequence[str], env: Mapping[str, str], mounts: Sequence[Mount]
    ) -> Sequence[str]:
        words = [_rewritten(word, mounts) for word in command]
        pairs = [f"{name}={_rewritten(value, mounts)}" for name, value in env.items()]
        return ["/usr/bin/env", "-i", *pairs, *words]

    def content(self, raw: bytes, mounts: Sequence[Mount]) -> bytes:
        return _rewritten(raw.decode(errors="surrogateescape"), mounts).encode(
            errors="surrogateescape"
        )


def _rewritten(text: str, mounts: Sequence[Mount]) -> str:
    for mount in mounts:
        text = text.replace(mount.at, str(mount.volume))
    return text


@dataclass(frozen=True, slots=True)
class Namespaces:
    root: Path
    """An empty folder."""
    user: int
    group: int

    @classmethod
    def can_be_had(cls) -> bool:
        tools = all(shutil.which(name) for name in ("unshare", "setpriv", "chroot"))
        if not tools or os.geteuid():
            return False
        tried = ["unshare", "--mount", "mount", "-t", "tmpfs", "tmpfs", "/mnt"]
        return subprocess.run(tried, capture_output=True, check=False).returncode == 0

    def start(
        self, command: Sequence[str], env: Mapping[str, str], mounts: Sequence[Mount]
    ) -> Sequence[str]:
        lines = ["set -eu", *self._root(), *(line for one in mounts for line in self._mount(one))]
        lines.append(f"mount -o remount,bind,ro {self._at('/')}")
        pairs = [f"{name}={value}" for name, value in env.items()]
        become = [f"--reuid={self.user}", f"--regid={self.group}", "--clear-groups"]
        become += ["--no-new-privs", "--bounding-set=-all", "--inh-caps=-all"]
        run = ["chroot", str(self.root), "/usr/bin/setpriv", *become]
        run += ["/usr/bin/env", "-i", *pairs, *command]
        lines.append(f"exec {shlex.join(run)}")
        script = "\n".join(lines)
        return ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script]

    def content(self, raw: bytes, mounts: Sequence[Mount]) -> bytes:
        return raw

    def _at(self, path: str) -> str:
        return shlex.quote(f"{self.root}{path.rstrip('/')}")

    def _root(self) -> Iterator[str]:
        yield f"mount -t tmpfs -o mode=0755 tmpfs {self._at('/')}"
        ours = {sys.base_prefix, sys.prefix, str(ROOT)}
        for path in (*_SYSTEM, *sorted(ours), *(f"/etc/{name}" for name in _ETC)):
            if Path(path).is_symlink() and path in _SYSTEM:
                yield f"ln -s {shlex.quote(os.readlink(path))} {self._at(path)}"  # noqa: PTH115  (as it is)
            elif Path(path).exists() and not path.startswith("/usr/"):
                yield from self._bind(path, path, read_only=path not in ("/dev", "/proc"))

    def _mount(self, mount: Mount) -> Iterator[str]:
        yield from self._bind(str(mount.volume), mount.at, read_only=mount.read_only)

    def _bind(self, source: str, at: str, *, read_only: bool) -> Iterator[str]:
        there, parent = self._at(at), self._at(str(Path(at).parent))
        yield f"mkdir -p {parent}"
        if Path(source).is_dir():
            yield f"mkdir -p {there} && mount --rbind {shlex.quote(source)} {there}"
        else:
            yield f": > {there} && mount --bind {shlex.quote(source)} {there}"
        if read_only:
            yield f"mount -o remount,bind,ro {there}"
