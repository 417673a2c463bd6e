"""The files of the project, for tests that look at all of them."""

import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[1]
OWN_FOLDERS = ("adapters", "client", "config", "docs", "helm", "proxy", "tests")
"""A file that git does not know yet is ours here; elsewhere it is somebody's venv or notes."""
_MADE_BY_TOOLS = {".venv", ".git", "__pycache__", "node_modules", ".demo", "build", "dist"}


def project_files(*patterns: str, root: Path = ROOT) -> list[Path]:
    """Those that match a pattern, such as `*.py`; all without one.

    From git where there is one, else from the folders.
    """
    if (root / ".git").exists() and shutil.which("git"):
        known = _listed(root, "-c", patterns)
        new = _listed(root, "-o", patterns)
        names = [*known, *(one for one in new if Path(one).parts[0] in OWN_FOLDERS)]
        found = [root / name for name in names]
    else:
        found = [
            path
            for pattern in patterns or ("*",)
            for path in root.rglob(pattern)
            if not _MADE_BY_TOOLS.intersection(path.relative_to(root).parts)
        ]
    return [path for path in found if path.is_file()]


def _listed(root: Path, which: str, patterns: tuple[str, ...]) -> list[str]:
    command = ["git", "ls-files", "-z", which, "--exclude-standard", "--", *patterns]
    told = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout
    return [name for name in told.split("\0") if name]
