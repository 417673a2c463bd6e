"""Files as Kubernetes mounts them, and as people put them into a folder."""

import shutil
from collections.abc import Mapping
from itertools import count
from pathlib import Path

DATA = "..data"


class KubernetesMount:
    """A volume of a Secret. Each `update` does what the kubelet's atomic writer does, in its order.

    The files are links into `..data`, itself a link to a folder named after the moment. An update
    makes a new folder, turns `..data` over to it by a rename, and removes the old one.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbers = count(1)

    def update(self, files: Mapping[str, bytes]) -> None:
        """From now on these files are there, and no others."""
        self.path.mkdir(parents=True, exist_ok=True)
        fresh = self.path / f"..2026_11_22_12_00_00.{next(self._numbers)}"
        fresh.mkdir(mode=0o755)
        for name, content in files.items():
            (fresh / name).write_bytes(content)
        before = self._now()
        (self.path / "..data_tmp").symlink_to(fresh.name)
        (self.path / "..data_tmp").rename(self.path / DATA)
        for name in files:
            if not (self.path / name).is_symlink():
                (self.path / name).symlink_to(f"{DATA}/{name}")
        for link in self.path.iterdir():
            if not link.name.startswith("..") and link.name not in files:
                link.unlink()
        if before is not None:
            shutil.rmtree(before)

    def _now(self) -> Path | None:
        link = self.path / DATA
        return self.path / link.readlink() if link.is_symlink() else None


class PlainFolder:
    """A folder into which somebody copies files, one after the other."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def update(self, files: Mapping[str, bytes]) -> None:
        self.path.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            self.overwrite(name, content)

    def overwrite(self, name: str, content: bytes) -> None:
        """In place, as `cp` does: for a moment the file is empty, then it is half there."""
        with (self.path / name).open("wb", buffering=0) as file:
            half = len(content) // 2
            file.write(content[:half])
            file.write(content[half:])

    def replace(self, name: str, content: bytes) -> None:
        """By a rename, as careful programs do."""
        fresh = self.path / f".{name}.new"
        fresh.write_bytes(content)
        fresh.rename(self.path / name)
