"""What a pod may choose for itself, and that no slip in it keeps the pod from being created."""

import pytest

from tests.cluster.cluster import Cluster, Thing
from tests.cluster.conftest import LISTED
from tests.cluster.pedkai import backend, named, pod, sidecars

pytestmark = pytest.mark.usefixtures("release")

SOCKET = "unix:/run/bss-sidecar/bss-sidecar.sock"


def injected(cluster: Cluster, **annotations: str) -> Thing:
    spelled = {key.replace("_", "-"): value for key, value in annotations.items()}
    return cluster.would_admit(pod(LISTED, annotations=spelled))


def sidecar(cluster: Cluster, **annotations: str) -> Thing:
    (ours,) = sidecars(injected(cluster, **annotations))
    return ours


def settings(ours: Thing) -> dict[str, str]:
    """What its command line sets, by path."""
    args: list[str] = ours["args"]
    pairs = [args[place + 1] for place, one in enumerate(args) if one == "--set"]
    return dict(one.split("=", 1) for one in pairs)


def told(admitted: Thing, container: str = "backend") -> dict[str, str]:
    """The variables of ours that a container has."""
    env = named(admitted["spec"]["containers"], container).get("env", [])
    return {one["name"]: one["value"] for one in env if one["name"].startswith("BSS_SIDECAR_")}


def test_the_image_of_one_pod_can_be_another(cluster: Cluster) -> None:
    wanted = "other.example:5000/team/bss-sidecar:2@sha256:" + "0" * 64
    assert sidecar(cluster, image=wanted)["image"] == wanted


def test_memory_of_one_pod_is_request_and_limit(cluster: Cluster) -> None:
    resources = sidecar(cluster, memory="512Mi", cpu_request="250m")["resources"]
    assert resources["requests"] == {"memory": "512Mi", "cpu": "250m"}
    assert resources["limits"] == {"memory": "512Mi"}


def test_the_log_level_of_one_pod_can_be_raised(cluster: Cluster) -> None:
    assert settings(sidecar(cluster, log_level="debug"))["logging.level"] == "debug"


def test_by_socket_both_sides_know_the_socket_and_nobody_a_token(cluster: Cluster) -> None:
    admitted = injected(cluster, authentication="socket")
    (ours,) = sidecars(admitted)
    assert settings(ours)["listeners.data.unix_socket"] == SOCKET.removeprefix("unix:")
    assert settings(ours)["auth.token_file"] == ""
    assert told(admitted) == {"BSS_SIDECAR_URL": SOCKET}


def test_without_authentication_nothing_is_shared(cluster: Cluster) -> None:
    admitted = injected(cluster, authentication="none")
    assert told(admitted) == {"BSS_SIDECAR_URL": "http://127.0.0.1:8650"}
    mounts = named(admitted["spec"]["containers"], "backend")["volumeMounts"]
    assert [one for one in mounts if "bss-sidecar" in one["mountPath"]] == []


def test_another_container_can_be_the_one_that_asks(cluster: Cluster) -> None:
    two = [backend(), backend(name="worker", ports=[])]
    asked = pod(LISTED, annotations={"container": "worker"}, containers=two)
    admitted = cluster.would_admit(asked)
    assert told(admitted) == {}
    assert "BSS_SIDECAR_TOKEN_FILE" in told(admitted, "worker")


def test_where_no_container_has_the_name_the_pod_still_starts(cluster: Cluster) -> None:
    admitted = injected(cluster, container="nobody")
    assert len(sidecars(admitted)) == 1
    assert told(admitted) == {}
    assert "nobody" in cluster.would_warn(pod(LISTED, annotations={"container": "nobody"}))


WRONG = {
    "memory": ["", "much", "-1Gi", "0", "1", "192MiB", "64 Mi", "1e", "½Gi"],
    "cpu-request": ["", "fast", "-1", "0", "50 m"],
    "image": ["", " ", "a b", " registry.example/x:1", "x:1\n", "http://x/y", ":", "@sha256:0"],
    "log-level": ["", "DEBUG", "verbose", 'info", "--set", "x'],
    "authentication": ["", "Token", "password", "socket "],
    "container": ["", "Backend", "backend ", "../backend", '"', "a" * 300],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in WRONG.items() for value in values]
)
def test_a_slip_in_an_annotation_is_as_if_it_were_not_there(
    cluster: Cluster, key: str, value: str
) -> None:
    """The patched pod is checked like any other: one bad quantity, and it would not be created."""
    plain = cluster.would_admit(pod(LISTED, annotations={}))
    admitted = cluster.would_admit(pod(LISTED, annotations={key: value}))
    assert sidecars(admitted) == sidecars(plain)
    if key != "container":
        assert told(admitted) == told(plain)
