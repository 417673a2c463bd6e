"""The parts that can be switched on: what each makes, and that it does what it is for."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.helm.charts import CHART, Manifest, manifests, render, the
from tests.helm.injected import VERSION, by_policy
from tests.helm.matrix import ALL_PARTS, CHECK, MONITORING, REDIS, SECRETS

ALL = manifests(render(ALL_PARTS))
FILES = CHART / "files"


def named(of: list[Manifest], kind: str) -> dict[tuple[str, str], Manifest]:
    """By namespace and name."""
    return {
        (one["metadata"]["namespace"], one["metadata"]["name"]): one
        for one in of
        if one["kind"] == kind
    }


@pytest.mark.parametrize(
    ("values", "kinds"),
    [
        (REDIS, {"Deployment", "Service", "NetworkPolicy"}),
        ({**REDIS, "redis": {**REDIS["redis"], "networkPolicy": False}}, {"Deployment", "Service"}),
        ({"podMonitor": MONITORING["podMonitor"]}, {"PodMonitor"}),
        ({"prometheusRule": MONITORING["prometheusRule"]}, {"PrometheusRule"}),
        ({"dashboard": MONITORING["dashboard"]}, {"ConfigMap"}),
        (SECRETS, {"Certificate", "ExternalSecret"}),
        (CHECK, {"Job"}),
    ],
)
def test_a_part_adds_what_it_is_made_of_and_nothing_else(
    values: dict[str, Any], kinds: set[str]
) -> None:
    plain = [one["kind"] for one in manifests(render())]
    with_it = [one["kind"] for one in manifests(render(values))]
    for kind in plain:
        with_it.remove(kind)
    assert set(with_it) == kinds


def test_the_network_policy_selects_redis_alone_and_admits_pods_with_a_sidecar() -> None:
    spec = the("NetworkPolicy", ALL)["spec"]
    redis = the("Deployment", ALL)["spec"]["template"]["metadata"]["labels"]
    assert spec["podSelector"] == {"matchLabels": redis}
    assert redis["app.kubernetes.io/component"] == "redis"
    (rule,) = spec["ingress"]
    (peer,) = rule["from"]
    assert peer["podSelector"]["matchExpressions"] == [{"key": VERSION, "operator": "Exists"}]
    (where,) = peer["namespaceSelector"]["matchExpressions"]
    assert where["key"] == "kubernetes.io/metadata.name"
    assert where["operator"] == "In"
    assert where["values"] == ["pedkai-uk", "pedkai-de"]
    assert rule["ports"] == [{"protocol": "TCP", "port": "redis"}]
    assert spec["egress"] == []


def test_the_service_leads_to_redis_and_sidecars_to_the_service() -> None:
    service = the("Service", ALL)
    deployment = the("Deployment", ALL)["spec"]
    assert service["spec"]["selector"] == deployment["selector"]["matchLabels"]
    meta = service["metadata"]
    for (_, name), one in named(ALL, "ConfigMap").items():
        if name.endswith("-config"):
            cache = yaml.safe_load(one["data"]["sidecar.yaml"])["cache"]
            assert cache["redis"]["url"].startswith(f"rediss://{meta['name']}.{meta['namespace']}.")
            assert cache["entries"] == 10_000_000


def test_what_the_values_say_of_the_cache_themselves_wins() -> None:
    cache = {"redis": {"username": "pedkai", "tls": {"server_name": "redis"}}}
    values = {**REDIS, "configuration": {**REDIS["configuration"], "cache": cache}}
    text = the("ConfigMap", manifests(render(values)))["data"]["sidecar.yaml"]
    made = yaml.safe_load(text)["cache"]["redis"]
    assert made["username"] == "pedkai"
    assert made["tls"] == {
        "server_name": "redis",
        "trust_bundle_file": "/etc/bss-sidecar/redis/ca.crt",
    }


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed")
def test_prometheus_takes_the_rules_as_they_are_rendered(tmp_path: Path) -> None:
    spec = the("PrometheusRule", ALL)["spec"]
    file = tmp_path / "rules.yaml"
    file.write_text(json.dumps(spec), encoding="utf-8")
    done = subprocess.run(
        ["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert spec == yaml.safe_load((FILES / "alerts.yaml").read_text(encoding="utf-8"))


def test_the_dashboard_arrives_as_it_is_in_its_file() -> None:
    """Its own braces are Grafana's, and not helm's."""
    config_map = named(ALL, "ConfigMap")["monitoring", "bss-sidecar-dashboard"]
    (text,) = config_map["data"].values()
    assert json.loads(text) == json.loads((FILES / "dashboard.json").read_text(encoding="utf-8"))
    assert config_map["metadata"]["labels"]["grafana_dashboard"] == "1"


def test_prometheus_is_told_the_port_and_the_pods_of_the_sidecars() -> None:
    spec = the("PodMonitor", ALL)["spec"]
    (endpoint,) = spec["podMetricsEndpoints"]
    (port,) = by_policy(ALL).container["ports"]
    assert endpoint["port"] == port["name"]
    assert spec["selector"]["matchExpressions"] == [{"key": VERSION, "operator": "Exists"}]
    assert spec["namespaceSelector"]["matchNames"] == ["pedkai-uk", "pedkai-de"]


def test_each_maker_fills_a_secret_that_a_sidecar_mounts_in_each_namespace() -> None:
    mounted = {
        volume["secret"]["secretName"] for volume in by_policy(ALL).volumes if "secret" in volume
    }
    made = {
        namespace: {
            named(ALL, "Certificate")[namespace, "bss-sidecar-amdocs"]["spec"]["secretName"],
            named(ALL, "ExternalSecret")[namespace, "cerillion-client"]["spec"]["target"]["name"],
        }
        for namespace in ("pedkai-uk", "pedkai-de")
    }
    for secrets in made.values():
        assert secrets == {"amdocs-client", "cerillion-client"} <= mounted


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_what_we_run_ourselves_satisfies_the_restricted_level(kind: str) -> None:
    for one in named(ALL, kind).values():
        spec = one["spec"]["template"]["spec"]
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = spec["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "privileged": False,
            "readOnlyRootFilesystem": True,
        }
        assert all(mount["readOnly"] for mount in container["volumeMounts"])
        assert container["resources"]["limits"]["cpu"] == "1"


def test_a_look_before_reads_what_the_namespace_will_get() -> None:
    jobs = named(ALL, "Job")
    assert {namespace for namespace, _ in jobs} == {"pedkai-uk", "pedkai-de"}
    for (namespace, _), job in jobs.items():
        text = named(ALL, "ConfigMap")[namespace, "bss-sidecar-config"]["data"]["sidecar.yaml"]
        assert looked_at(job)[1] == text


def looked_at(job: Manifest) -> tuple[str, str]:
    """The path of the file in the container, and its content."""
    template = job["spec"]["template"]
    (volume,) = template["spec"]["volumes"]
    (item,) = volume["downwardAPI"]["items"]
    annotation = re.fullmatch(r"metadata\.annotations\['(.+)'\]", item["fieldRef"]["fieldPath"])
    assert annotation
    (mount,) = template["spec"]["containers"][0]["volumeMounts"]
    return f"{mount['mountPath']}/{item['path']}", template["metadata"]["annotations"][
        annotation[1]
    ]


@pytest.mark.parametrize(
    ("variable", "status"), [("EGRESS", 0), ("NOWHERE", 64)], ids=["good", "bad"]
)
def test_the_command_of_a_look_before_tells_good_from_bad(
    tmp_path: Path, variable: str, status: int
) -> None:
    """No schema can see whether a variable is set."""
    mock = {"vendor": "mock", "wire": {"egress_proxy": f"${{{variable}}}"}}
    configuration = {**CHECK["configuration"], "connections": {"mock": mock}}
    job = the("Job", manifests(render({**CHECK, "configuration": configuration})))
    path, content = looked_at(job)
    (tmp_path / "sidecar.yaml").write_text(content, encoding="utf-8")
    (container,) = job["spec"]["template"]["spec"]["containers"]
    python, *rest = [*container["command"], *container["args"]]
    assert python == "python"
    assert rest[-1] == path
    done = subprocess.run(
        [sys.executable, *rest[:-1], str(tmp_path / "sidecar.yaml")],
        env={one["name"]: one["value"] for one in container["env"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    assert ("NOWHERE" in done.stdout) is bool(status)
