"""A whole sidecar with its credentials on a mount: what a person reads, what a pod is answered."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from adapters.lookup import wall_clock
from adapters.simulator.certificates import Authority
from adapters.simulator.population import customer_id
from tests.integration.rotating import WAIT_S
from tests.servers.mount import KubernetesMount
from tests.servers.sidecar import Demonstration, Reply, staged, within
from tests.servers.vendors import Setup

MOUNTED = {
    "certificate_file": "client.pem",
    "key_file": "client.key",
    "trust_bundle_file": "ca.pem",
    "client_secret_file": "client-secret",
}
BAD_FILES = 'bss_sidecar_bad_files{connection="amdocs",what="credentials"}'


@pytest.fixture
def mount(tmp_path: Path) -> KubernetesMount:
    """Not there yet."""
    return KubernetesMount(tmp_path / "mounted")


@pytest.fixture
async def sidecar(tmp_path: Path, mount: KubernetesMount) -> AsyncIterator[Demonstration]:
    setups = {"amdocs": Setup(shape="amdocs")}
    async with staged(tmp_path, setups=setups) as stage:  # type: ignore[arg-type]
        settings = yaml.safe_load(stage.configuration.read_text())
        connection = settings["connections"]["amdocs"]
        connection["wire"] = {"connect_timeout": "1s"}
        for group in (connection["tls"], connection["oauth2"]):
            group |= {key: str(mount.path / MOUNTED[key]) for key in group if key in MOUNTED}
        stage.configuration.write_text(yaml.safe_dump(settings))
        async with within(stage) as one:
            yield one


@pytest.fixture
def good(sidecar: Demonstration) -> Mapping[str, bytes]:
    folder = sidecar.stage.folder
    return {name: (folder / name).read_bytes() for name in MOUNTED.values()}


async def test_a_directory_that_is_absent_at_the_start_degrades_the_answers_until_it_is_there(
    sidecar: Demonstration, mount: KubernetesMount, good: Mapping[str, bytes]
) -> None:
    answer = await asked(sidecar)
    assert (answer.status, answer.headers["bss-degraded"]) == (200, "tls;unavailable=1")
    assert {one["file"] for one in await files(sidecar, 4)} == {
        str(mount.path / name) for name in MOUNTED.values()
    }
    mount.update(good)
    assert await files(sidecar, 0) == []
    answer = await asked(sidecar)
    assert (answer.status, "bss-degraded" in answer.headers) == (200, False)


async def test_a_bad_set_is_in_status_page_and_metrics_and_no_answer_is_the_worse_for_it(
    sidecar: Demonstration, mount: KubernetesMount, good: Mapping[str, bytes]
) -> None:
    mount.update(good)
    assert await files(sidecar, 0) == []
    other = Authority.create("Another CA", now=wall_clock()).issue_client("sidecar")
    mount.update({**good, "client.key": other.key_pem()})
    (told,) = await files(sidecar, 1)
    assert told["connection"] == "amdocs"
    assert told["file"] == str(mount.path / "client.key")
    assert "does not belong to the client certificate" in told["what"]
    assert told["remedy"].startswith("mount ")
    status = (await sidecar.pods["admin"].ask("GET", "/v1/status")).json()
    (finding,) = status["attention"]
    assert (finding["severity"], finding["connection"]) == ("soon", "amdocs")
    assert told["file"] in finding["what"]
    assert told["remedy"][1:] in finding["remedy"]
    assert f"{BAD_FILES} 1.0" in (await sidecar.pods["ops"].ask("GET", "/metrics")).body.decode()
    answer = await asked(sidecar)
    assert (answer.status, "bss-degraded" in answer.headers) == (200, False)
    mount.update(good)
    assert await files(sidecar, 0) == []
    assert f"{BAD_FILES} 0.0" in (await sidecar.pods["ops"].ask("GET", "/metrics")).body.decode()


async def asked(sidecar: Demonstration) -> Reply:
    return await sidecar.data.revenue("amdocs_demo", [customer_id("amdocs_demo", 0)])


async def files(sidecar: Demonstration, number: int) -> list[Any]:
    """What `/v1/status` says of files, as soon as the credentials are read and it is that many."""
    async with asyncio.timeout(WAIT_S):
        while True:
            status = (await sidecar.pods["admin"].ask("GET", "/v1/status")).json()
            looked = status["connections"]["amdocs"]["credentials"] != "not read yet"
            found: list[Any] = status["files"]
            good = status["connections"]["amdocs"]["credentials"] == "good"
            if looked and len(found) == number and (number or good):
                return found
            await asyncio.sleep(0.02)
