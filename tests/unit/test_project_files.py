"""What tests that look at the whole project look at."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.project_files import project_files


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_what_is_new_counts_in_our_own_folders_alone(tmp_path: Path) -> None:
    names = ("proxy/known.py", "proxy/new.py", "venv2/lib/stray.py", "stray.py", "tests/new.md")
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "known.py").touch()
    for arguments in (["init", "-q"], ["add", "proxy/known.py", "tools/known.py"]):
        subprocess.run(["git", *arguments], cwd=tmp_path, check=True)
    found = {str(path.relative_to(tmp_path)) for path in project_files("*.py", root=tmp_path)}
    assert found == {"proxy/known.py", "proxy/new.py", "tools/known.py"}


def test_without_git_it_looks_in_the_folders(tmp_path: Path) -> None:
    for name in ("proxy/one.py", ".venv/lib/two.py", "node_modules/three.py"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert project_files("*.py", root=tmp_path) == [tmp_path / "proxy" / "one.py"]
