"""A release's life: what changes for pods to come, what is given back, and that nothing stays."""

import pytest

from tests.cluster.cluster import Cluster, Refused, until
from tests.cluster.pedkai import DOMAIN, is_touched, pod, sidecars
from tests.cluster.releases import Helm, await_injection, installed


def image(cluster: Cluster, namespace: str) -> str:
    """That a new pod would get; empty without a sidecar."""
    ours = sidecars(cluster.would_admit(pod(namespace)))
    return str(ours[0]["image"]) if ours else ""


def stamp(cluster: Cluster, namespace: str) -> str:
    return str(cluster.would_admit(pod(namespace))["metadata"]["labels"][f"{DOMAIN}/version"])


def test_an_upgrade_changes_new_pods_and_a_rollback_restores_them(
    cluster: Cluster, helm: Helm, own_namespace: str
) -> None:
    values = {"inject": {"namespaces": [own_namespace]}, "image": {"tag": "1"}}
    with installed(helm, "life", values):
        assert image(cluster, own_namespace) == "bss-sidecar:1"
        first = stamp(cluster, own_namespace)
        helm.upgrade("life", {**values, "image": {"tag": "2"}})
        until(lambda: image(cluster, own_namespace) == "bss-sidecar:2")
        assert stamp(cluster, own_namespace) != first
        helm.run("rollback", "life", "1")
        until(lambda: image(cluster, own_namespace) == "bss-sidecar:1")
        assert stamp(cluster, own_namespace) == first


def test_a_running_pod_keeps_its_sidecar_through_an_upgrade(
    cluster: Cluster, helm: Helm, own_namespace: str
) -> None:
    """And its stamp tells that it is stale."""
    values = {"inject": {"namespaces": [own_namespace]}, "image": {"tag": "1"}}
    pods = f"/api/v1/namespaces/{own_namespace}/pods"
    with installed(helm, "stay", values):
        cluster.call("POST", pods, pod(own_namespace))
        helm.upgrade("stay", {**values, "image": {"tag": "2"}})
        until(lambda: image(cluster, own_namespace) == "bss-sidecar:2")
        now = stamp(cluster, own_namespace)
        stale = cluster.items(pods, labelSelector=f"{DOMAIN}/inject=true,{DOMAIN}/version!={now}")
        assert [sidecars(one)[0]["image"] for one in stale] == ["bss-sidecar:1"]


def test_a_namespace_that_is_added_later_is_injected_and_one_taken_away_is_not(
    cluster: Cluster, helm: Helm, own_namespace: str
) -> None:
    other = f"{own_namespace}-later"
    cluster.make_namespace(other, {})
    with installed(helm, "grow", {"inject": {"namespaces": [own_namespace]}}):
        assert not is_touched(cluster.would_admit(pod(other)))
        helm.upgrade("grow", {"inject": {"namespaces": [other]}})
        await_injection(cluster, other)
        await_injection(cluster, own_namespace, wanted=False)
        helm.upgrade("grow", {"inject": {"namespaces": [own_namespace]}})
        await_injection(cluster, own_namespace)


def test_unbound_first_a_new_pod_is_untouched_and_then_uninstalling_leaves_no_trace(
    cluster: Cluster, helm: Helm, own_namespace: str
) -> None:
    values = {"inject": {"namespaces": [own_namespace]}}
    before = cluster.everything()
    with installed(helm, "leave", values):
        during = cluster.everything()
        bindings = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings"
        (ours,) = [one for one in during - before if one.startswith(bindings)]
        cluster.call("DELETE", f"{bindings}/{ours.rsplit('/', 1)[1]}")
        until(lambda: not is_touched(cluster.would_admit(pod(own_namespace))))
    assert len(during - before) > 3
    assert cluster.everything() == before
    assert not is_touched(cluster.would_admit(pod(own_namespace)))


def test_two_releases_serve_two_namespaces_and_do_not_know_each_other(
    cluster: Cluster, helm: Helm, own_namespace: str
) -> None:
    other = f"{own_namespace}-other"
    cluster.make_namespace(other, {})
    one = {"inject": {"namespaces": [own_namespace]}, "image": {"tag": "one"}}
    two = {"inject": {"namespaces": [other]}, "image": {"tag": "two"}}
    with installed(helm, "one", one), installed(helm, "two", two):
        assert image(cluster, own_namespace) == "bss-sidecar:one"
        assert image(cluster, other) == "bss-sidecar:two"


@pytest.mark.parametrize("policy", ["Ignore", "Fail"])
def test_a_policy_that_cannot_be_carried_out_does_what_its_failure_policy_says(
    cluster: Cluster, helm: Helm, own_namespace: str, policy: str
) -> None:
    """The expression is broken by hand: the chart's own never fails on a pod."""
    values = {"inject": {"namespaces": [own_namespace], "failurePolicy": policy}}
    with installed(helm, f"broken-{policy.lower()}", values):
        _break(cluster, own_namespace)
        if policy == "Ignore":
            until(lambda: not is_touched(cluster.would_admit(pod(own_namespace))))
        else:
            until(lambda: _is_refused(cluster, own_namespace))
        unlabelled = cluster.would_admit(pod(own_namespace, labels={}))
        assert not is_touched(unlabelled)


def _break(cluster: Cluster, namespace: str) -> None:
    """Asks each pod for an annotation that none has."""
    policies = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies"
    bindings = cluster.items(policies.replace("policies", "policybindings"))
    (name,) = [
        one["spec"]["policyName"] for one in bindings if f"'{namespace}'" in repr(one["spec"])
    ]
    missing = 'JSONPatch{op: "remove", path: object.metadata.annotations["nobody/has-this"]}'
    mutation = {"patchType": "JSONPatch", "jsonPatch": {"expression": f"[{missing}]"}}
    cluster.call("PATCH", f"{policies}/{name}", {"spec": {"mutations": [mutation]}})


def _is_refused(cluster: Cluster, namespace: str) -> bool:
    try:
        cluster.would_admit(pod(namespace))
    except Refused as refused:
        return "denied request" in str(refused)
    return False
