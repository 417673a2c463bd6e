"""What a pod of Pedkai has after the API server admitted it."""

import pytest

from tests.cluster.cluster import Cluster, Refused, Thing, until
from tests.cluster.conftest import ELSEWHERE, LISTED, RESTRICTED
from tests.cluster.deploying import deployed, pods
from tests.cluster.pedkai import DOMAIN, deployment, is_touched, named, pod, sidecars

pytestmark = pytest.mark.usefixtures("release")

RUN = "/run/bss-sidecar"


@pytest.mark.parametrize("namespace", [LISTED, RESTRICTED])
def test_each_of_three_replicas_has_the_sidecar_first(cluster: Cluster, namespace: str) -> None:
    with deployed(cluster, deployment(namespace, "with")) as chosen:
        for one in pods(cluster, namespace, chosen):
            assert one["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"
            assert one["spec"]["initContainers"][0]["name"] == "bss-sidecar"
            assert len(sidecars(one)) == 1
            assert one["metadata"]["labels"][f"{DOMAIN}/version"]


def test_replicas_without_the_label_are_untouched(cluster: Cluster) -> None:
    with deployed(cluster, deployment(LISTED, "without", labels={})) as chosen:
        found = pods(cluster, LISTED, chosen)
        assert [is_touched(one) for one in found] == [False] * 3


@pytest.mark.parametrize("value", ["false", "True", "yes"])
def test_a_pod_whose_label_says_anything_but_true_is_opted_out(
    cluster: Cluster, value: str
) -> None:
    asked = pod(LISTED, labels={f"{DOMAIN}/inject": value})
    assert not is_touched(cluster.would_admit(asked))


def test_a_namespace_that_is_not_listed_is_untouched(cluster: Cluster) -> None:
    assert not is_touched(cluster.would_admit(pod(ELSEWHERE)))


def test_a_namespace_that_is_switched_off_by_its_label_is_untouched(cluster: Cluster) -> None:
    path, key = f"/api/v1/namespaces/{LISTED}", f"{DOMAIN}/injection"
    cluster.call("PATCH", path, {"metadata": {"labels": {key: "disabled"}}})
    try:
        until(lambda: not is_touched(cluster.would_admit(pod(LISTED))))
    finally:
        cluster.call("PATCH", path, {"metadata": {"labels": {key: None}}})
    until(lambda: bool(sidecars(cluster.would_admit(pod(LISTED)))))


def test_the_sidecar_is_complete(cluster: Cluster) -> None:
    """A native sidecar that may do little, is watched, and gates nothing."""
    (ours,) = sidecars(cluster.would_admit(pod(LISTED)))
    assert ours["restartPolicy"] == "Always"
    assert ours["image"] == "registry.example/bss-sidecar:1.2.3"
    assert ours["command"] == ["python", "-P", "-m", "proxy"]
    assert ours["args"][:2] == ["serve", "--fail-open"]
    assert {"startupProbe", "livenessProbe"} <= ours.keys()
    assert "readinessProbe" not in ours
    assert ours["resources"]["requests"]["memory"] == ours["resources"]["limits"]["memory"]
    assert "cpu" not in ours["resources"]["limits"]
    assert named(ours["env"], "POD_IP")["valueFrom"]["fieldRef"]["fieldPath"] == "status.podIP"
    asked = ours["securityContext"]
    assert (asked["runAsNonRoot"], asked["readOnlyRootFilesystem"]) == (True, True)
    assert asked["capabilities"] == {"drop": ["ALL"]}


def test_what_the_sidecar_mounts_resolves_in_the_namespace_or_may_be_missing(
    cluster: Cluster,
) -> None:
    """Else kubelet would wait for it for ever, and the app with it."""
    admitted = cluster.would_admit(pod(LISTED))
    (ours,) = sidecars(admitted)
    volumes = {one["name"]: one for one in admitted["spec"]["volumes"]}
    mounts = ours["volumeMounts"]
    assert [one for one in mounts if "subPath" in one or one["name"] not in volumes] == []
    used = [volumes[one["name"]] for one in mounts]
    assert [one for one in used if not _starts_without_help(cluster, one)] == []
    assert {one["mountPath"] for one in mounts} >= {
        RUN,
        "/etc/bss-sidecar/config",
        "/etc/bss-sidecar/credentials/amdocs",
        "/etc/bss-sidecar/trust/amdocs",
        "/etc/bss-sidecar/trust/csg",
        "/etc/bss-sidecar/cache-keys",
    }
    assert [one["mountPath"] for one in mounts if not one.get("readOnly")] == [RUN]


def _starts_without_help(cluster: Cluster, volume: Thing) -> bool:
    if "emptyDir" in volume:
        return True
    kind = "configmaps" if "configMap" in volume else "secrets"
    source = volume.get("configMap") or volume["secret"]
    name = source.get("name") or source["secretName"]
    return source.get("optional") is True or cluster.exists(
        f"/api/v1/namespaces/{LISTED}/{kind}/{name}"
    )


def test_the_configuration_that_a_pod_mounts_is_in_its_namespace(cluster: Cluster) -> None:
    for namespace in (LISTED, RESTRICTED):
        volumes = cluster.would_admit(pod(namespace))["spec"]["volumes"]
        name = named(volumes, "bss-sidecar-config")["configMap"]["name"]
        found = cluster.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}")
        assert "sidecar.yaml" in found["data"]


def test_the_backend_is_told_where_to_ask_and_may_only_read(cluster: Cluster) -> None:
    admitted = cluster.would_admit(pod(LISTED))
    backend = named(admitted["spec"]["containers"], "backend")
    assert named(backend["env"], "BSS_SIDECAR_URL")["value"] == "http://127.0.0.1:8650"
    assert named(backend["env"], "BSS_SIDECAR_TOKEN_FILE")["value"] == f"{RUN}/token"
    (mount,) = [one for one in backend["volumeMounts"] if one["mountPath"] == RUN]
    assert mount["readOnly"] is True
    shared = named(admitted["spec"]["volumes"], mount["name"])
    assert shared["emptyDir"]["medium"] == "Memory"


def test_all_else_of_the_pod_stays_as_it_was(cluster: Cluster) -> None:
    plain = cluster.would_admit(pod(ELSEWHERE))["spec"]
    injected = cluster.would_admit(pod(LISTED))["spec"]
    before, after = plain["containers"][0], injected["containers"][0]
    ours = ("bss-sidecar", "BSS_SIDECAR", "kube-api-access")
    for kept in ("env", "volumeMounts"):
        theirs = [one for one in after[kept] if not one["name"].startswith(ours)]
        assert theirs == [one for one in before[kept] if not one["name"].startswith(ours)]
        assert theirs
    for one in (before, after):
        del one["env"], one["volumeMounts"]
    assert after == before
    for spec in (plain, injected):
        del spec["containers"], spec["volumes"]
    del injected["initContainers"]
    assert injected == plain


def test_a_pod_that_is_submitted_twice_is_injected_once(cluster: Cluster) -> None:
    once = cluster.would_admit(pod(LISTED))
    again = cluster.would_admit(_as_new(once))
    assert len(sidecars(again)) == 1
    assert again["spec"] == once["spec"]


def _as_new(admitted: Thing) -> Thing:
    """What `kubectl get -o yaml` and `kubectl apply` make of it elsewhere."""
    kept = {k: admitted["metadata"][k] for k in ("name", "namespace", "labels")}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": kept, "spec": admitted["spec"]}


def test_an_update_of_a_pod_is_none_of_our_business(cluster: Cluster) -> None:
    """A pod that runs without a sidecar can still be labelled, finished and deleted."""
    path = f"/api/v1/namespaces/{LISTED}/pods"
    made = cluster.call("POST", path, pod(LISTED, labels={}))
    path = f"{path}/{made['metadata']['name']}"
    try:
        labelled = cluster.call(
            "PATCH", path, {"metadata": {"labels": {f"{DOMAIN}/inject": "true"}}}
        )
        assert not is_touched(labelled)
    finally:
        cluster.call("DELETE", path, gracePeriodSeconds="0")


def test_the_sidecar_holds_no_token_of_the_api_server(cluster: Cluster) -> None:
    """The ServiceAccount plugin runs again after the policy, and mounts one wherever it may."""
    admitted = cluster.would_admit(pod(LISTED))
    (ours,) = sidecars(admitted)
    assert [one["name"] for one in ours["volumeMounts"] if "kube-api-access" in one["name"]] == []
    backend = named(admitted["spec"]["containers"], "backend")
    assert [one for one in backend["volumeMounts"] if "kube-api-access" in one["name"]]


def test_the_restricted_level_is_really_enforced_where_we_say_so(cluster: Cluster) -> None:
    """The control: else the test above would show nothing."""
    careless = pod(RESTRICTED, containers=[{"name": "backend", "image": "pedkai-backend:1"}])
    with pytest.raises(Refused, match="violates PodSecurity") as refused:
        cluster.would_admit(careless)
    assert "bss-sidecar" not in str(refused.value)
