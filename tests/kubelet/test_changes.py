"""What arrives late is taken up, what changes is followed, and the end waits for who is asking."""

import asyncio
from pathlib import Path

import pytest

from adapters.lookup import wall_clock
from adapters.simulator.certificates import write_demo_certificates
from adapters.simulator.population import customer_id
from tests.kubelet.conftest import (
    CONFIGURATION,
    TENANT,
    Namespace,
    Node,
    as_object,
    configuration_of,
)
from tests.kubelet.pod import PATIENCE_S, Pod, running
from tests.kubelet.ways import Namespaces
from tests.servers.hung import hung_server

PRICED = [customer_id(TENANT, number) for number in (40, 41, 42)]
MOCK = {
    "configuration": {
        "connections": {"mock": {"vendor": "mock"}},
        "tenants": {"mock_demo": {"connection": "mock"}},
    }
}


async def until_live(pod: Pod) -> None:
    """Asked anew for each try; a breaker that opened meanwhile closes by itself."""
    async with asyncio.timeout(PATIENCE_S):
        while "bss-degraded" in (await pod.revenue(TENANT, PRICED)).headers:  # noqa: ASYNC110  (another process)
            await asyncio.sleep(0.05)


async def test_configuration_and_secrets_that_arrive_later_are_taken_up(
    node: Node, namespace: Namespace
) -> None:
    pod = node.pod(namespace.values)
    configuration = as_object(configuration_of(pod.rendered))
    pod.put("ConfigMap", CONFIGURATION, {})
    async with running(pod):
        told = (await pod.revenue(TENANT, PRICED)).headers["bss-degraded"]
        assert told.startswith("configuration;")
        pod.put("ConfigMap", CONFIGURATION, configuration)
        await pod.said("configuration", state="good")
        told = (await pod.revenue(TENANT, PRICED)).headers["bss-degraded"]
        assert told.split(";")[0] in {"tls", "identity"}
        for (kind, name), files in namespace.objects.items():
            pod.put(kind, name, files)
        await until_live(pod)


async def test_what_is_swapped_is_followed_and_a_bad_swap_leaves_the_last_good_one(
    node: Node, namespace: Namespace, tmp_path: Path
) -> None:
    pod = node.pod(namespace.values)
    for (kind, name), files in namespace.objects.items():
        pod.put(kind, name, files)
    async with running(pod):
        await until_live(pod)
        client, other = namespace.objects["Secret", "amdocs-client"], strangers_pair(tmp_path)
        pod.put("Secret", "amdocs-client", {**client, "tls.key": other["tls.key"]})
        await pod.said("bad_file", connection="amdocs")
        assert "bss-degraded" not in (await pod.revenue(TENANT, PRICED)).headers
        pod.put("Secret", "amdocs-client", {**client, **other})
        await pod.said("reloaded", what="credentials", version=2)
        pod.put("Secret", "amdocs-client", client)
        await pod.said("reloaded", what="credentials", version=3)
        await until_live(pod)
        pod.put("ConfigMap", CONFIGURATION, {"sidecar.yaml": b"{"})
        await pod.said("configuration", state="outdated")
        assert (await pod.revenue(TENANT, PRICED)).status == 200
        more = configuration_of(pod.rendered)
        more["tenants"]["second"] = {"connection": "amdocs"}
        pod.put("ConfigMap", CONFIGURATION, as_object(more))
        await pod.said("configuration", state="good", tenants=2)


def strangers_pair(folder: Path) -> dict[str, bytes]:
    """A certificate and key that fit each other, of an authority that nobody knows."""
    renewed = folder / "stranger"
    renewed.mkdir()
    write_demo_certificates(renewed, now=wall_clock())
    files = {"tls.crt": "client.pem", "tls.key": "client.key"}
    return {name: (renewed / file).read_bytes() for name, file in files.items()}


async def test_a_question_in_flight_at_the_end_of_the_pod_is_answered(
    node: Node,
) -> None:
    async with hung_server() as port:
        slow = {
            "vendor": "csg",
            "base_url": f"http://127.0.0.1:{port}/",
            "insecure": True,
            "wire": {"exchange_timeout": "1.9s"},
        }
        values = {
            "configuration": {
                "connections": {"slow": slow},
                "tenants": {TENANT: {"connection": "slow"}},
            }
        }
        pod = node.pod(values)
        async with running(pod), asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(pod.revenue(TENANT, PRICED))
            await until_in_flight(pod)
            code, took_s = await pod.terminate()
            assert (await asking).headers["bss-degraded"] == "deadline;unavailable=3"
    assert code == 0
    assert took_s < 5


async def until_in_flight(pod: Pod) -> None:
    line = 'bss_sidecar_questions_in_flight{question="revenue_at_risk"} 1.0'
    async with asyncio.timeout(PATIENCE_S):
        while line not in await pod.metrics():  # noqa: ASYNC110  (another process)
            await asyncio.sleep(0.02)


async def test_a_container_that_is_killed_comes_back_with_the_token_of_its_pod(
    node: Node,
) -> None:
    pod = node.pod(MOCK)
    async with running(pod):
        token = pod.shared("/run/bss-sidecar/token").read_text()
        await pod.kill()
        pod.log.unlink()
        await pod.start()
        await pod.said("listening", listener="data")
        assert pod.shared("/run/bss-sidecar/token").read_text() == token
        assert (await pod.revenue("mock_demo", [customer_id("mock_demo", 0)])).status == 200


async def test_it_runs_as_a_restricted_container_on_a_root_that_nobody_can_write(
    node: Node,
) -> None:
    if not Namespaces.can_be_had():
        pytest.skip("no mount namespaces on this machine")
    pod = node.pod(MOCK)
    async with running(pod):
        status = pod.status()
        assert status["Uid"].split() == ["65532"] * 4
        assert status["Gid"].split() == ["65532"] * 4
        assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")} == {0}
        assert status["NoNewPrivs"] == "1"
        assert pod.writable_mounts() == {"/run/bss-sidecar"}


async def test_its_memory_stays_within_what_the_chart_asks_for(
    node: Node, namespace: Namespace
) -> None:
    """At rest below the floor that a pod may ask for, and under load below the request."""
    pod = node.pod(namespace.values)
    for (kind, name), files in namespace.objects.items():
        pod.put(kind, name, files)
    async with running(pod):
        await until_live(pod)
        at_rest = mebibytes(pod, "VmRSS")
        for _ in range(3):
            batches = [
                [customer_id(TENANT, 200 * batch + number) for number in range(200)]
                for batch in range(4)
            ]
            await asyncio.gather(*(pod.revenue(TENANT, ids) for ids in batches))
        peak = mebibytes(pod, "VmHWM")
    limit = pod.rendered.container["resources"]["limits"]["memory"]
    assert limit.endswith("Mi")
    assert at_rest < 128
    assert peak < float(limit.removesuffix("Mi"))


def mebibytes(pod: Pod, name: str) -> float:
    return int(pod.status()[name].split()[0]) / 1024
