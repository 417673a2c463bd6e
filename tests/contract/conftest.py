"""Runs every test of this folder against every subject, or against those of one `--vendor`.

The subjects are the files of `subjects/`; a new file is picked up by itself. `README.md` says what
such a file holds.
"""

import importlib
import pkgutil
from collections.abc import AsyncIterator
from types import ModuleType

import pytest
import pytest_asyncio

from tests.contract import subjects as subjects_folder
from tests.contract.subject import Subject


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--vendor", help="only the subjects of this vendor, such as `amdocs`")


def _subject_modules() -> dict[str, ModuleType]:
    """Each subject's name and file: `sidecar-amdocs` is `subjects/sidecar_amdocs.py`."""
    return {
        name.replace("_", "-"): importlib.import_module(f"tests.contract.subjects.{name}")
        for _, name, _ in pkgutil.iter_modules(subjects_folder.__path__)
    }


def pytest_configure(config: pytest.Config) -> None:
    vendors = {module.VENDOR for module in _subject_modules().values()}
    if (vendor := _vendor(config)) is not None and vendor not in vendors:
        known = ", ".join(sorted(vendors))
        raise pytest.UsageError(f"--vendor {vendor}: no such vendor; there are {known}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "subject" in metafunc.fixturenames:
        wanted = _vendor(metafunc.config)
        modules = _subject_modules()
        chosen = [name for name, module in modules.items() if wanted in (None, module.VENDOR)]
        metafunc.parametrize("subject", chosen, indirect=True, scope="session")


def _vendor(config: pytest.Config) -> str | None:
    # The option is absent when all of the tests are run: pytest reads this file too late for it.
    vendor: str | None = config.getoption("--vendor", default=None)
    return vendor


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def subject(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Subject]:
    module = _subject_modules()[request.param]
    async with module.subject(tmp_path_factory.mktemp(request.param)) as made:
        yield made
