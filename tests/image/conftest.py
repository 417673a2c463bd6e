"""The image, made once by the steps of the Dockerfile."""

import fnmatch
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.load import environment
from tests.image.dockerfile import Builder, Stage, stages

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def written() -> list[Stage]:
    """The stages of the Dockerfile."""
    return stages((ROOT / "Dockerfile").read_text())


@pytest.fixture(scope="session")
def final(written: list[Stage]) -> Stage:
    return written[-1]


@pytest.fixture(scope="session")
def image(written: list[Stage]) -> Iterator[Path]:
    """Its root, which nobody can write to. Any user can get there."""
    with tempfile.TemporaryDirectory(prefix="bss-image-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        context = folder / "context"
        _send(context)
        ambient = {
            key: value
            for key, value in environment().items()
            if key.startswith(("PIP_", "SSL_")) or key.lower().endswith("_proxy") or key == "HOME"
        }
        root = Builder(context, folder, ambient).build(written)
        _set_writable(root, writable=False)
        yield root
        _set_writable(root, writable=True)


def _send(context: Path) -> None:
    """As an engine reads `.dockerignore`: nothing but what is let in by name."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    never = [rule.removeprefix("**/").rstrip("/") for rule in rules if rule.startswith("**/")]

    def left_out(_folder: str, names: list[str]) -> set[str]:
        return {name for name in names for rule in never if fnmatch.fnmatch(name, rule)}

    for rule in rules:
        if rule.startswith("!"):
            source, target = ROOT / rule[1:], context / rule[1:]
            if source.is_dir():
                shutil.copytree(source, target, ignore=left_out)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target)


def _set_writable(root: Path, *, writable: bool) -> None:
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o200 if writable else mode & ~0o222)
