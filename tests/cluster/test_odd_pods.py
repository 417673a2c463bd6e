"""Pods that look other than Pedkai's."""

from typing import Any

import pytest

from tests.cluster.cluster import Cluster, Thing
from tests.cluster.conftest import LISTED, RESTRICTED
from tests.cluster.pedkai import backend, is_touched, named, pod, sidecars

pytestmark = pytest.mark.usefixtures("release")

WAITER = {"name": "migrate", "image": "pedkai-backend:1", "command": ["alembic", "upgrade"]}
OTHER_SIDECAR = {"name": "istio-proxy", "image": "proxy:1", "restartPolicy": "Always"}


def names(admitted: Thing) -> list[str]:
    """Of its init containers, in their order."""
    return [one["name"] for one in admitted["spec"].get("initContainers", [])]


@pytest.mark.parametrize("namespace", [LISTED, RESTRICTED])
def test_a_pod_with_nothing_in_it_gets_all_of_it(cluster: Cluster, namespace: str) -> None:
    """No volumes, no variables, no mounts, no annotations."""
    bare = backend()
    del bare["env"], bare["volumeMounts"], bare["ports"]
    asked = pod(namespace, containers=[bare], volumes=[], automountServiceAccountToken=False)
    admitted = cluster.would_admit(asked)
    assert names(admitted) == ["bss-sidecar"]
    told = named(admitted["spec"]["containers"], "backend")
    assert {one["name"] for one in told["env"]} == {"BSS_SIDECAR_URL", "BSS_SIDECAR_TOKEN_FILE"}
    assert [one["mountPath"] for one in told["volumeMounts"]] == ["/run/bss-sidecar"]


def test_the_sidecar_comes_before_other_init_containers(cluster: Cluster) -> None:
    """A migration may ask it already."""
    admitted = cluster.would_admit(pod(LISTED, initContainers=[WAITER, OTHER_SIDECAR]))
    assert names(admitted) == ["bss-sidecar", "migrate", "istio-proxy"]


def test_other_sidecars_stay_what_they_are(cluster: Cluster) -> None:
    admitted = cluster.would_admit(
        pod(LISTED, initContainers=[OTHER_SIDECAR], containers=[backend(), backend(name="envoy")])
    )
    plain = cluster.would_admit(
        pod(
            LISTED,
            labels={},
            initContainers=[OTHER_SIDECAR],
            containers=[backend(), backend(name="envoy")],
        )
    )
    for kind, name in (("initContainers", "istio-proxy"), ("containers", "envoy")):
        injected, before = named(admitted["spec"][kind], name), named(plain["spec"][kind], name)
        for one in (injected, before):
            one.get("volumeMounts", []).clear()  # the API server's token has a name by chance
        assert injected == before


@pytest.mark.parametrize(
    "sharing",
    [
        {"hostNetwork": True},
        {"shareProcessNamespace": True},
        {"hostPID": True},
    ],
    ids=lambda one: next(iter(one)),
)
def test_a_pod_that_shares_its_network_or_processes_is_left_alone_and_told_so(
    cluster: Cluster, sharing: dict[str, Any]
) -> None:
    asked = pod(LISTED, **sharing)
    assert not is_touched(cluster.would_admit(asked))
    assert f"({next(iter(sharing))})" in cluster.would_warn(asked)


def test_a_pod_that_gets_its_sidecar_is_not_warned_of_anything(cluster: Cluster) -> None:
    assert cluster.would_warn(pod(LISTED)) == ""


def test_a_pod_that_says_it_does_not_share_is_like_any_other(cluster: Cluster) -> None:
    plain: dict[str, Any] = {"hostNetwork": False, "shareProcessNamespace": False, "hostPID": False}
    assert names(cluster.would_admit(pod(LISTED, **plain))) == ["bss-sidecar"]


def test_a_pod_that_has_a_container_of_our_name_is_left_alone(cluster: Cluster) -> None:
    """Whoever wrote it by hand, or by the chart's template, wins."""
    by_hand = {"name": "bss-sidecar", "image": "by-hand:1", "restartPolicy": "Always"}
    admitted = cluster.would_admit(pod(LISTED, initContainers=[by_hand]))
    assert [one["image"] for one in sidecars(admitted)] == ["by-hand:1"]
    assert "BSS_SIDECAR_URL" not in repr(admitted["spec"]["containers"])


def test_what_the_backend_says_itself_is_not_overwritten(cluster: Cluster) -> None:
    own = {"name": "BSS_SIDECAR_URL", "value": "http://127.0.0.1:9999"}
    admitted = cluster.would_admit(pod(LISTED, containers=[backend(env=[own])]))
    env = named(admitted["spec"]["containers"], "backend")["env"]
    assert [one for one in env if one["name"] == "BSS_SIDECAR_URL"] == [own]


def test_a_volume_of_the_pod_that_has_our_name_does_not_make_two(cluster: Cluster) -> None:
    """Two volumes of one name would be refused by the API server."""
    own = {"name": "bss-sidecar-run", "emptyDir": {}}
    scratch = {"name": "scratch", "emptyDir": {}}
    admitted = cluster.would_admit(pod(LISTED, volumes=[scratch, own]))
    assert len([one for one in admitted["spec"]["volumes"] if one["name"] == own["name"]]) == 1


def test_a_pod_whose_port_has_the_name_of_ours_is_admitted(cluster: Cluster) -> None:
    ports = [{"containerPort": 8000, "name": "bss-ops"}]
    admitted = cluster.would_admit(pod(LISTED, containers=[backend(ports=ports)]))
    assert names(admitted) == ["bss-sidecar"]


@pytest.mark.parametrize(
    "limit",
    [
        {"limits": {"memory": "128Mi", "cpu": "1"}},
        {"limits": {"memory": "1Gi", "cpu": "10m"}},
        {"requests": {"memory": "64Mi"}},
        {"limits": {"memory": "4Gi"}},
    ],
    ids=repr,
)
def test_a_pod_with_resources_of_its_own_is_admitted(
    cluster: Cluster, limit: dict[str, Any]
) -> None:
    """Its containers may not ask for more than the pod: the sidecar lives on the pod's."""
    admitted = cluster.would_admit(pod(LISTED, resources=limit))
    assert names(admitted) == ["bss-sidecar"]
    assert sidecars(admitted)[0]["resources"] == {}


def test_a_pod_that_was_made_by_hand_with_a_name_is_injected(cluster: Cluster) -> None:
    asked = pod(LISTED)
    del asked["metadata"]["generateName"]
    asked["metadata"]["name"] = "by-hand"
    assert names(cluster.would_admit(asked)) == ["bss-sidecar"]


def test_a_pod_for_another_system_is_left_alone(cluster: Cluster) -> None:
    windows = {"name": "backend", "image": "pedkai-backend:1"}
    asked = pod(LISTED, os={"name": "windows"}, containers=[windows], volumes=[])
    assert not is_touched(cluster.would_admit(asked))


def test_labelled_pods_that_are_left_alone_are_counted(cluster: Cluster) -> None:
    """By the API server; what it counts is what an alert can look at."""
    before = left_alone(cluster)
    cluster.would_admit(pod(LISTED))
    assert left_alone(cluster) == before
    cluster.would_admit(pod(LISTED, hostNetwork=True))
    assert left_alone(cluster) == before + 1


def left_alone(cluster: Cluster) -> float:
    """As the values' comment says where to look."""
    lines = cluster.get("/metrics")["message"].splitlines()
    name = "apiserver_validating_admission_policy_check_total{"
    ours = [line for line in lines if line.startswith(name) and 'policy="bss-' in line]
    return sum(float(line.rpartition(" ")[2]) for line in ours if '"warn"' in line)
