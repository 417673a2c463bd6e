import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
MADE_BY_TOOLS = {".venv", ".git", "__pycache__", "node_modules", ".demo"}


@pytest.fixture
def project_files() -> Callable[[], list[Path]]:
    """Files of the project: from git where there is one, else from the folders."""

    def files() -> list[Path]:
        if (ROOT / ".git").exists() and shutil.which("git"):
            command = ["git", "ls-files", "-co", "--exclude-standard"]
            listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            found = [ROOT / name for name in listed.stdout.splitlines()]
        else:
            found = [path for path in ROOT.rglob("*") if not MADE_BY_TOOLS & set(path.parts)]
        return [path for path in found if path.is_file()]

    return files
