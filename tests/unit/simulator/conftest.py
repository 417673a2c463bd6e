from collections.abc import Callable
from pathlib import Path

import pytest

from tests import project_files as project


@pytest.fixture
def project_files() -> Callable[[], list[Path]]:
    """Every file of the project."""
    return project.project_files
