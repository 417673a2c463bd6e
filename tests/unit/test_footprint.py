"""What a sidecar with one TM Forum connection and a Redis cache loads, and takes, at rest."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import yaml

from adapters.lookup import wall_clock
from adapters.simulator.certificates import write_demo_certificates
from proxy.cache.keys import new_key
from tests.servers.ending import end
from tests.servers.sidecar import START_TIMEOUT_S, listeners

NOT_ASKED_FOR = (
    "adapters.database",
    "adapters.identity_database",
    "adapters.local_adapter",
    "adapters.mock_adapter",
    "adapters.pedkai_schema",
    "adapters.simulator",
    "aiosqlite",
    "asyncpg",
    "authlib.oauth2.rfc7523",
    "joserfc",
    "opentelemetry.exporter",
    "opentelemetry.sdk.trace.export",  # redis-py loads other parts of it, where it is installed
    "proxy.credentials.assertion",
    "proxy.demo",
    "proxy.doctor",
    "shtab",
    "sqlalchemy",
    "watchfiles",
)
"""Modules, with all that is in them. Nobody configured a database, spans or `private_key_jwt`."""
WITHOUT_OAUTH2 = ("authlib", "proxy.credentials.client_auth")
MOST_MIB = 88
"""At rest; 77 were measured with the packages of the image, and 79 with those of the tests."""


def configuration(folder: Path, *, oauth2: bool = True) -> Path:
    """Of a vendor and a Redis that are not there, which stops no start."""
    for name in ("master-keys", "name-keys"):
        (folder / name).write_text(f"{new_key()}\n")
    (folder / "secret").write_text("made up")
    write_demo_certificates(folder, now=wall_clock())
    connection = {
        "vendor": "amdocs",
        "base_url": "https://127.0.0.1:1/",
        "tls": {
            "certificate_file": str(folder / "client.pem"),
            "key_file": str(folder / "client.key"),
            "trust_bundle_file": str(folder / "ca.pem"),
        },
    }
    if oauth2:
        connection["oauth2"] = {
            "token_url": "https://127.0.0.1:1/token",
            "client_id": "sidecar",
            "client_secret_file": str(folder / "secret"),
        }
    file = folder / "sidecar.yaml"
    settings = {
        "schema_version": 1,
        "listeners": {name: {"port": 0} for name in ("data", "ops", "admin")},
        "connections": {"amdocs": connection},
        "tenants": {"demo": {"connection": "amdocs"}},
        "cache": {
            "store": "redis",
            "master_keys_file": str(folder / "master-keys"),
            "name_keys_file": str(folder / "name-keys"),
            "redis": {"url": "redis://127.0.0.1:1/0"},
        },
    }
    file.write_text(yaml.safe_dump(settings))
    return file


@asynccontextmanager
async def serving(file: Path, *options: str) -> AsyncIterator[int]:
    """The id of its process, once it listens."""
    out, err = file.with_name("stdout"), file.with_name("stderr")
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", *options, "-m", "proxy", "serve", str(file)),
            stdout=stdout,
            stderr=stderr,
        )
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            await listeners(out, process)
        yield process.pid
    finally:
        await end(process)


async def loaded(file: Path) -> set[str]:
    """The modules, as the interpreter itself tells them."""
    async with serving(file, "-X", "importtime"):
        pass
    told = file.with_name("stderr").read_text()
    return set(re.findall(r"^import time: +\d+ \| +\d+ \| +(\S+)$", told, re.MULTILINE))


def resident_mib(process: int) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    resident = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert resident is not None
    return int(resident[1]) / 1024


def among(modules: set[str], families: tuple[str, ...]) -> list[str]:
    return sorted(one for one in modules if one.startswith(tuple(f"{name}." for name in families)))


async def test_nothing_is_loaded_that_no_setting_asks_for(tmp_path: Path) -> None:
    modules = await loaded(configuration(tmp_path))
    assert {"proxy.app", "redis.asyncio", "authlib.oauth2.client"} <= modules
    assert not modules.intersection(NOT_ASKED_FOR)
    assert among(modules, NOT_ASKED_FOR) == []


async def test_who_has_no_oauth2_loads_no_library_for_it(tmp_path: Path) -> None:
    modules = await loaded(configuration(tmp_path, oauth2=False))
    assert "proxy.app" in modules
    assert not modules.intersection(WITHOUT_OAUTH2)
    assert among(modules, WITHOUT_OAUTH2) == []


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc")
async def test_at_rest_it_takes_no_more_than_its_share(tmp_path: Path) -> None:
    async with serving(configuration(tmp_path)) as process:
        assert resident_mib(process) < MOST_MIB


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="there is no /proc")
async def test_at_rest_it_has_few_threads(tmp_path: Path) -> None:
    """One for each group of files that is watched, those that look names up, and the log's."""
    async with serving(configuration(tmp_path)) as process:
        assert len(os.listdir(f"/proc/{process}/task")) <= 12  # noqa: PTH208  (names alone)
