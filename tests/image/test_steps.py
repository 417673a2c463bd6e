"""What the Dockerfile's steps make, when they are performed here: `make image`."""

import asyncio
import json
import os
import re
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from config.load import environment
from tests.image.dockerfile import Stage, exec_form

if environment().get("IMAGE") != "full":  # it takes a minute, and a package index
    pytest.skip("the image's steps are performed by `make image`", allow_module_level=True)

USER = 65_532
PATIENCE_S = 30
TENANT = {"X-Tenant-ID": "acme"}
ONE = {"customer_ids": ["00000000-0000-0000-0000-000000000001"]}


def user() -> dict[str, Any]:
    """Only root can become somebody else; others run it as they are."""
    return {} if os.geteuid() else {"user": USER, "group": USER, "extra_groups": []}


def words(image: Path, final: Stage, *more: str) -> Sequence[str]:
    program, *rest = exec_form(final, "ENTRYPOINT")
    assert program == "python"
    return [str(image / "app/bin/python"), *rest, *more]


def env(image: Path) -> dict[str, str]:
    """What the last stage sets, and where the copied Python finds its library."""
    path = f"{image}/app/bin:{image}/usr/local/bin"
    library = f"{image}/usr/local/lib"
    return {"PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "LD_LIBRARY_PATH": library}


def run(image: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd="/", env=env(image), **user()
    )


@pytest.mark.parametrize("module", ["pip", "ensurepip", "setuptools", "hatchling", "pytest"])
def test_no_installer_is_left(image: Path, module: str) -> None:
    for python in ("app/bin/python", "usr/local/bin/python"):
        said = run(image, str(image / python), "-c", f"import {module}")
        assert f"No module named '{module}'" in said.stderr


def test_no_program_that_compiles_or_installs_is_left(image: Path) -> None:
    names = {path.name for path in image.rglob("*") if path.is_file() or path.is_symlink()}
    telling = re.compile(r"(pip|gcc|g\+\+|cc|c\+\+|clang|ld|make|apt|uv)[\d.]*|.*\.whl")
    found = {name for name in names if telling.fullmatch(name)}
    assert found == set()


def test_everything_is_compiled_for_good(image: Path) -> None:
    """The second word of the header says that the source is never looked at."""
    sources = [
        path
        for folder in ("app/lib", "usr/local/lib")
        for path in (image / folder).rglob("*.py")
        if "lib2to3" not in path.parts
    ]
    assert len(sources) > 1_000
    tag = (
        f"{next((image / 'app/lib').iterdir()).name.replace('python', 'cpython-').replace('.', '')}"
    )
    for source in sources:
        compiled = source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"
        assert compiled.exists(), source
        assert compiled.read_bytes()[4:8] == b"\x01\x00\x00\x00"


def test_who_runs_it_can_read_all_and_write_nothing(image: Path, final: Stage) -> None:
    look = (
        "import os, sys\n"
        "for at, _, names in os.walk(sys.argv[1]):\n"
        "    for name in names:\n"
        "        path = os.path.join(at, name)\n"
        "        assert os.access(path, os.R_OK), path\n"
        "        assert os.geteuid() == 0 or not os.access(path, os.W_OK), path\n"
        "print('read')\n"
    )
    said = run(image, str(image / "app/bin/python"), "-c", look, str(image))
    assert (said.stdout, said.stderr) == ("read\n", "")


def test_it_says_its_version(image: Path, final: Stage) -> None:
    said = run(image, *words(image, final, "--version"))
    assert said.stdout.startswith("bss-sidecar 0.")
    assert run(image, str(image / "app/bin/bss-sidecar"), "--version").stdout == said.stdout


def test_its_packages_come_from_the_image_and_nowhere_else(image: Path) -> None:
    ask = "import sys, proxy, aiohttp; print(proxy.__file__, aiohttp.__file__, *sys.path)"
    said = run(image, str(image / "app/bin/python"), "-P", "-c", ask)
    assert said.stderr == ""
    assert [one for one in said.stdout.split() if not one.startswith(str(image))] == []


async def test_without_a_configuration_it_serves_degraded_and_drains(
    image: Path, final: Stage
) -> None:
    async with served(image, final) as (process, address):
        async with (
            aiohttp.ClientSession(headers=TENANT) as session,
            session.post(f"{address}/v1/revenue-at-risk", json=ONE) as answer,
        ):
            assert answer.status == 200
            assert answer.headers["BSS-Degraded"] == "configuration;unavailable=1"
        process.terminate()
        async with asyncio.timeout(PATIENCE_S):
            assert await process.wait() == 0


@asynccontextmanager
async def served(
    image: Path, final: Stage
) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """What the image starts by itself, at free ports."""
    free = [f"--set=listeners.{name}.port=0" for name in ("data", "ops", "admin")]
    process = await asyncio.create_subprocess_exec(
        *words(image, final, *exec_form(final, "CMD"), *free),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd="/",
        env=env(image),
        **user(),
    )
    try:
        assert process.stdout is not None
        address = ""
        async with asyncio.timeout(PATIENCE_S):
            while not address and (raw := await process.stdout.readline()):
                line = json.loads(raw)
                if line["event"] == "listening" and line["listener"] == "data":
                    address = line["address"]
        assert address
        yield process, address
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()
