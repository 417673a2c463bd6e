"""A Pedkai pod starts and lives, whatever state the sidecar's configuration, secrets, vendor or
Redis are in: the container that the chart renders, run as the kubelet would.
"""

from collections.abc import Callable, Sequence

import pytest

from adapters.simulator.population import customer_id
from tests.kubelet.conftest import (
    CONFIGURATION,
    TENANT,
    Namespace,
    Node,
    as_object,
    configuration_of,
)
from tests.kubelet.pod import Pod, running
from tests.servers.redis import free_ports

PRICED = [customer_id(TENANT, number) for number in (40, 41, 42)]
IPV4, IPV6 = "127.0.0.2", "::1"


def put_all(pod: Pod, namespace: Namespace) -> None:
    for (kind, name), files in namespace.objects.items():
        pod.put(kind, name, files)


def nothing_is_wrong(pod: Pod, namespace: Namespace) -> None:
    put_all(pod, namespace)


def no_configuration(pod: Pod, namespace: Namespace) -> None:
    put_all(pod, namespace)
    pod.put("ConfigMap", CONFIGURATION, {})


def a_broken_one(pod: Pod, namespace: Namespace) -> None:
    put_all(pod, namespace)
    pod.put("ConfigMap", CONFIGURATION, {"sidecar.yaml": b"connections: {amdocs: ["})


def a_wrong_one(pod: Pod, namespace: Namespace) -> None:
    put_all(pod, namespace)
    wrong = {"schema_version": 1, "listeners": {"ops": {"host": "127.0.0.1", "port": 1}}}
    pod.put("ConfigMap", CONFIGURATION, as_object({**wrong, "tenants": {"x": {}}}))


def a_newer_one(pod: Pod, namespace: Namespace) -> None:
    put_all(pod, namespace)
    newer = configuration_of(pod.rendered) | {"novelty": {"token": "${NOT_SET}"}}
    pod.put("ConfigMap", CONFIGURATION, as_object(newer))


def no_secrets(pod: Pod, namespace: Namespace) -> None:
    """Every volume is there, and empty."""


def no_redis(pod: Pod, namespace: Namespace) -> None:
    put_all(pod, namespace)
    (port,) = free_ports(1)
    keys = "/etc/bss-sidecar/cache-keys"
    cache = {
        "store": "redis",
        "master_keys_file": f"{keys}/master-keys",
        "name_keys_file": f"{keys}/name-keys",
        "redis": {"url": f"redis://127.0.0.1:{port}/0"},
    }
    whole = configuration_of(pod.rendered) | {"cache": cache}
    pod.put("ConfigMap", CONFIGURATION, as_object(whole))


def no_vendor(pod: Pod, namespace: Namespace) -> None:
    put_all(pod, namespace)
    (port,) = free_ports(1)
    whole = configuration_of(pod.rendered)
    amdocs = whole["connections"]["amdocs"]
    amdocs["base_url"] = amdocs["oauth2"]["token_url"] = f"https://127.0.0.1:{port}/"
    pod.put("ConfigMap", CONFIGURATION, as_object(whole))


LIVE = None
STATES: list[tuple[Callable[[Pod, Namespace], None], Sequence[str] | None]] = [
    (nothing_is_wrong, LIVE),
    (no_configuration, ["configuration"]),
    (a_broken_one, ["configuration"]),
    (a_wrong_one, ["configuration"]),
    (a_newer_one, LIVE),
    (no_secrets, ["tls", "identity"]),
    (no_redis, LIVE),
    (no_vendor, ["unreachable", "auth"]),
]


@pytest.mark.parametrize(("state", "reasons"), STATES, ids=lambda one: getattr(one, "__name__", ""))
async def test_it_becomes_started_and_answers_whatever_is_wrong(
    node: Node,
    namespace: Namespace,
    state: Callable[[Pod, Namespace], None],
    reasons: Sequence[str] | None,
) -> None:
    ip = IPV6 if STATES.index((state, reasons)) % 2 else IPV4
    pod = node.pod(namespace.values, ip=ip)
    state(pod, namespace)
    async with running(pod):
        assert await pod.probe("livenessProbe") == 200
        reply = await pod.revenue(TENANT, PRICED)
        assert reply.status == 200
        judge(reply.json(), reply.headers.get("bss-degraded"), reasons)
        code, took_s = await pod.terminate()
    assert code == 0
    assert took_s < 5


def judge(result: dict[str, object], degraded: str | None, reasons: Sequence[str] | None) -> None:
    if reasons is None:
        assert degraded is None
        assert result["priced_customer_count"] == len(PRICED)
        assert result["is_estimate"] is False
    else:
        assert degraded is not None
        assert degraded.split(";")[0] in reasons
        assert result["total_revenue_at_risk"] is None
        assert (result["is_estimate"], result["requires_manual_valuation"]) == (True, True)


@pytest.mark.parametrize("way", ["namespaces", "rewriting"])
@pytest.mark.parametrize("ip", [IPV4, IPV6])
async def test_the_probes_are_answered_on_the_pods_own_address_of_either_family(
    node: Node, namespace: Namespace, ip: str, way: str
) -> None:
    pod = node.pod(namespace.values, ip=ip, way=way)  # type: ignore[arg-type]  # of the two
    put_all(pod, namespace)
    async with running(pod):
        assert await pod.probe("livenessProbe") == 200
        assert "bss_sidecar_" in await pod.metrics()
        listening = {
            line["listener"]: line["address"]
            for line in pod.lines()
            if line["event"] == "listening"
        }
        shown = f"[{ip}]" if ":" in ip else ip
        assert listening["ops"] == f"http://{shown}:{pod.ports['ops']}"
        for name in ("data", "admin"):
            assert listening[name] == f"http://127.0.0.1:{pod.ports[name]}"
        assert (await pod.revenue(TENANT, PRICED)).json()["priced_customer_count"] == 3


@pytest.mark.parametrize("authentication", ["token", "socket", "none"])
async def test_who_asks_proves_itself_as_the_chart_tells_it(
    node: Node, authentication: str
) -> None:
    values = {
        "authentication": authentication,
        "configuration": {
            "connections": {"mock": {"vendor": "mock"}},
            "tenants": {"mock_demo": {"connection": "mock"}},
        },
    }
    pod = node.pod(values)
    async with running(pod):
        known = [customer_id("mock_demo", 0)]
        result = (await pod.revenue("mock_demo", known)).json()
        assert (result["source"], result["priced_customer_count"]) == ("mock", 1)
        shared = {path.name for path in (pod.folder / "bss-sidecar-run").iterdir()}
        expected = {"token": {"token"}, "socket": {"bss-sidecar.sock"}, "none": set()}
        assert shared == expected[authentication]
