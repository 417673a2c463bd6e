"""A release with every part of the chart, beside the operators whose objects it makes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.cluster.cluster import Cluster, Thing, until
from tests.cluster.pedkai import pod, sidecars
from tests.cluster.releases import OURS, Helm, installed

FOREIGN = {
    "PodMonitor": "monitoring.coreos.com/v1",
    "PrometheusRule": "monitoring.coreos.com/v1",
    "Certificate": "cert-manager.io/v1",
    "ExternalSecret": "external-secrets.io/v1",
}
MOCK = {"connections": {"mock": {"vendor": "mock"}}, "tenants": {"demo": {"connection": "mock"}}}


def whole(namespace: str) -> dict[str, Any]:
    store = {"name": "vault", "kind": "ClusterSecretStore"}
    issuer = {"name": "amdocs", "kind": "ClusterIssuer"}
    remote = [{"secretKey": "client-secret", "remoteRef": {"key": "amdocs"}}]
    return {
        "inject": {"namespaces": [namespace]},
        "configuration": MOCK,
        "credentials": {
            "amdocs": {"existingSecret": "amdocs-client"},
            "oauth2": {"existingSecret": "amdocs-oauth2"},
        },
        "trust": {"amdocs": {"existingConfigMap": "amdocs-ca"}},
        "cacheKeys": {"existingSecret": "bss-cache-keys"},
        "redisCredentials": {"existingSecret": "bss-redis"},
        "redis": {"enabled": True, "existingSecret": "bss-redis-server"},
        "podMonitor": {"enabled": True},
        "prometheusRule": {"enabled": True},
        "dashboard": {"enabled": True},
        "certificates": {"amdocs": {"commonName": "pedkai", "issuerRef": issuer}},
        "externalSecrets": {"bss-redis": {"secretStoreRef": store, "data": remote}},
        "check": {"enabled": True},
    }


@pytest.fixture(scope="module", autouse=True)
def _foreign(cluster: Cluster) -> None:
    """Their operators' types, which take whatever is written into them."""
    path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    for kind, version in FOREIGN.items():
        cluster.call("POST", path, _definition(kind, *version.split("/")))
    listings = [f"/apis/{version}/{kind.lower()}s" for kind, version in FOREIGN.items()]
    until(lambda: all(cluster.exists(one) for one in listings))


def _definition(kind: str, group: str, version: str) -> Thing:
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    names = {"kind": kind, "plural": f"{kind.lower()}s", "singular": kind.lower()}
    served = {"name": version, "served": True, "storage": True}
    served["schema"] = {"openAPIV3Schema": schema}
    spec = {"group": group, "names": names, "scope": "Namespaced", "versions": [served]}
    return {"metadata": {"name": f"{names['plural']}.{group}"}, "spec": spec}


@contextmanager
def jobs_end(cluster: Cluster, *, well: bool) -> Iterator[list[str]]:
    """Plays the part of the Job controller; gives the names of the Jobs, as they end."""
    ended: list[str] = []
    over = threading.Event()

    def play() -> None:
        while not over.wait(0.05):
            for job in cluster.items("/apis/batch/v1/jobs"):
                if not job["status"].get("conditions"):
                    _end(cluster, job, well=well)
                    ended.append(job["metadata"]["name"])

    player = threading.Thread(target=play)
    player.start()
    try:
        yield ended
    finally:
        over.set()
        player.join()


def _end(cluster: Cluster, job: Thing, *, well: bool) -> None:
    meta = job["metadata"]
    path = f"/apis/batch/v1/namespaces/{meta['namespace']}/jobs/{meta['name']}/status"
    kinds = ("SuccessCriteriaMet", "Complete") if well else ("FailureTarget", "Failed")
    status: Thing = {"startTime": meta["creationTimestamp"]}
    status["conditions"] = [{"type": kind, "status": "True"} for kind in kinds]
    if well:
        status |= {"succeeded": 1, "completionTime": meta["creationTimestamp"]}
    cluster.call("PATCH", path, {"status": status})


def test_every_part_is_accepted_and_uninstalled_without_a_trace(
    cluster: Cluster, helm: Helm, own_namespace: str
) -> None:
    before = cluster.everything()
    with jobs_end(cluster, well=True), installed(helm, "all", whole(own_namespace)):
        during = cluster.everything()
        kinds = {one.split("/")[-3] for one in during - before}
        assert kinds >= {
            *(f"{kind.lower()}s" for kind in FOREIGN),
            *("configmaps", "deployments", "networkpolicies", "services"),
            *("mutatingadmissionpolicies", "validatingadmissionpolicybindings"),
        }
    _collect(cluster)
    assert cluster.everything() == before


def _collect(cluster: Cluster) -> None:
    """The garbage collector's part: what helm deleted owned these."""
    for path in ("/apis/apps/v1/namespaces/{}/replicasets", "/api/v1/namespaces/{}/pods"):
        cluster.call("DELETE", path.format(OURS), gracePeriodSeconds="0")


def test_a_configuration_that_is_found_wanting_never_reaches_a_pod(
    cluster: Cluster, helm: Helm, own_namespace: str
) -> None:
    good = {"inject": {"namespaces": [own_namespace]}, "configuration": MOCK}
    with installed(helm, "look", good):
        before = read_by_pods(cluster, own_namespace)
        assert before
        tried = {**good, "image": {"tag": "2"}, "check": {"enabled": True}}
        with jobs_end(cluster, well=False) as ended, pytest.raises(RuntimeError, match="upgrade"):
            helm.upgrade("look", tried)
        assert [name for name in ended if name.startswith("look-")]
        assert read_by_pods(cluster, own_namespace) == before
        (ours,) = sidecars(cluster.would_admit(pod(own_namespace)))
        assert not ours["image"].endswith(":2")
        with jobs_end(cluster, well=True):
            helm.upgrade("look", tried)


def read_by_pods(cluster: Cluster, namespace: str) -> list[Thing]:
    """The configurations; what the check itself reads is another ConfigMap."""
    found = cluster.items(f"/api/v1/namespaces/{namespace}/configmaps")
    return [one for one in found if one["metadata"]["name"].endswith("-config")]


def test_where_a_quota_wants_cpu_limits_the_values_give_one(
    cluster: Cluster, helm: Helm, own_namespace: str
) -> None:
    """Without one the pod would be refused, as the quota says."""
    values = {"inject": {"namespaces": [own_namespace]}, "resources": {"cpuLimit": "1"}}
    limits = {"limits.cpu": "4", "limits.memory": "4Gi"}
    quotas = f"/api/v1/namespaces/{own_namespace}/resourcequotas"
    with installed(helm, "quota", values):
        cluster.call("POST", quotas, {"metadata": {"name": "all"}, "spec": {"hard": limits}})
        used = {"hard": limits, "used": dict.fromkeys(limits, "0")}
        cluster.call("PATCH", f"{quotas}/all/status", {"status": used})
        asked = pod(own_namespace)
        asked["spec"]["containers"][0]["resources"] = {"limits": {"cpu": "1", "memory": "1Gi"}}
        (ours,) = sidecars(cluster.would_admit(asked))
        assert ours["resources"]["limits"]["cpu"] == "1"
        cluster.call("DELETE", f"{quotas}/all")
