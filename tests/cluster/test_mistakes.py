"""What an operator gets wrong with a release, and that it is told and can be mended."""

from typing import Any

import pytest

from tests.cluster.cluster import Cluster, Refused, until
from tests.cluster.conftest import ELSEWHERE, RESTRICTED
from tests.cluster.pedkai import is_touched, named, pod, sidecars
from tests.cluster.releases import CHART, Helm, await_injection, installed
from tests.cluster.test_whole import whole
from tests.helm.charts import manifests, render

POLICIES = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies"
NASTY = (
    "\"double\" 'single' `back` \\ $(POD_IP) ${X} {{ .Values }} <&> # : \u00e9 \u2028 \U0001f980"
)


def test_a_namespace_that_is_not_there_is_named_and_can_be_made_afterwards(
    cluster: Cluster, helm: Helm, own_namespace: str
) -> None:
    later = f"{own_namespace}-later"
    values = {"inject": {"namespaces": [own_namespace, later]}}
    before = cluster.everything()
    with pytest.raises(RuntimeError, match=f'namespaces "{later}" not found'):
        helm.install("early", values)
    assert not is_touched(cluster.would_admit(pod(own_namespace)))
    cluster.make_namespace(later, {})
    helm.upgrade("early", values)
    await_injection(cluster, later)
    helm.run("uninstall", "early")
    await_injection(cluster, later, wanted=False)
    made = {one for one in cluster.everything() - before if f"{later}" not in one}
    assert made == set()


def test_a_namespace_that_is_gone_does_not_keep_a_release_from_leaving(
    cluster: Cluster, helm: Helm, own_namespace: str
) -> None:
    values: dict[str, Any] = {"inject": {"namespaces": [own_namespace]}}
    maps = f"/api/v1/namespaces/{own_namespace}/configmaps"
    with installed(helm, "gone", values):
        cluster.call("DELETE", f"{maps}/gone-bss-sidecar-config")


def test_two_releases_for_one_namespace_put_in_one_sidecar(
    cluster: Cluster, helm: Helm, own_namespace: str
) -> None:
    one, two = ({"inject": {"namespaces": [own_namespace]}, "image": {"tag": t}} for t in "12")
    with installed(helm, "first", one):
        helm.install("second", two)
        try:
            until(lambda: "second" in repr(cluster.items(POLICIES)))
            admitted = cluster.would_admit(pod(own_namespace))
            assert len(sidecars(admitted)) == 1
        finally:
            helm.run("uninstall", "second")


def test_two_releases_of_one_name_do_not_take_each_others_configuration(
    cluster: Cluster, helm: Helm, own_namespace: str
) -> None:
    values = {"inject": {"namespaces": [own_namespace]}}
    with (
        installed(helm, "twin", values),
        pytest.raises(RuntimeError, match=r"twin-bss-sidecar-config.*exists"),
    ):
        helm.run(
            *("install", "twin", str(CHART), "--namespace", ELSEWHERE),
            *("--set", f"inject.namespaces={{{own_namespace}}}"),
        )


def test_whatever_is_in_a_value_reaches_the_pod_as_it_is(
    cluster: Cluster, helm: Helm, own_namespace: str
) -> None:
    values = {
        "inject": {"namespaces": [own_namespace]},
        "extraEnv": [{"name": "NASTY", "value": NASTY}],
        "pod": {"annotations": {"example.com/nasty": NASTY, "example.com/lines": "one\ntwo\n"}},
    }
    with installed(helm, "nasty", values):
        admitted = cluster.would_admit(pod(own_namespace))
    (ours,) = sidecars(admitted)
    assert named(ours["env"], "NASTY")["value"] == NASTY
    annotations = admitted["metadata"]["annotations"]
    assert annotations["example.com/nasty"] == NASTY
    assert annotations["example.com/lines"] == "one\ntwo\n"


def test_the_restricted_level_admits_redis_and_the_look_before(cluster: Cluster) -> None:
    """As the API server would create their pods."""
    found = manifests(render(whole(RESTRICTED), release=f"{RESTRICTED}/bss"))
    templates = [one["spec"]["template"] for one in found if one["kind"] in {"Deployment", "Job"}]
    assert len(templates) == 2
    for template in templates:
        meta = {**template["metadata"], "name": "probe", "namespace": RESTRICTED}
        asked = {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": template["spec"]}
        assert not sidecars(cluster.would_admit(asked))
        template["spec"]["securityContext"]["runAsNonRoot"] = False
        with pytest.raises(Refused, match="restricted"):
            cluster.would_admit(asked)
