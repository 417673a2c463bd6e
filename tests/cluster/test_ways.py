"""However a sidecar comes into a pod, the API server stores the same pod."""

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.cluster import Cluster, Thing
from tests.cluster.conftest import ELSEWHERE
from tests.cluster.pedkai import INJECT, PLAIN
from tests.cluster.releases import Helm, installed
from tests.helm.charts import manifests, render_parent, the
from tests.helm.matrix import FULL, MATRIX

KUSTOMIZE = Path(__file__).parents[2] / "helm" / "kustomize"

_CHOSEN = ("a unix socket", "extra volumes", "labels and annotations", "an image by its digest")
MANY = {key: value for name in _CHOSEN for key, value in MATRIX[name].items()}
"""At once: installing each would take a while."""


def as_stored(cluster: Cluster, namespace: str, template: Thing) -> Thing:
    """A pod of a Deployment's template; without what differs by chance or by namespace."""
    metadata = {**template["metadata"], "generateName": "pedkai-", "namespace": namespace}
    spec = {**template["spec"], "automountServiceAccountToken": False}
    admitted = cluster.would_admit({"metadata": metadata, "spec": spec})
    kept = {key: admitted["metadata"].get(key) for key in ("labels", "annotations")}
    return {"metadata": kept, "spec": admitted["spec"]}


def without_sidecar(template: Thing) -> Thing:
    """What Pedkai's own chart would have, with the label that asks."""
    (theirs,) = template["spec"]["containers"]
    plain = {key: theirs[key] for key in ("name", "image", "ports")}
    labels = {"app": template["metadata"]["labels"]["app"], **INJECT}
    return {"metadata": {"labels": labels}, "spec": {"containers": [plain]}}


def sorted_lists(pod: Thing) -> Thing:
    """The order of volumes, variables and mounts says nothing."""
    spec = pod["spec"]
    for one in (spec, *spec["containers"]):
        for key in ("volumes", "env", "volumeMounts", "imagePullSecrets"):
            if key in one:
                one[key] = sorted(one[key], key=lambda entry: str(entry["name"]))
    return pod


def compare(cluster: Cluster, namespace: str, values: dict[str, Any]) -> None:
    template = the("Deployment", manifests(render_parent(values)))["spec"]["template"]
    by_policy = as_stored(cluster, namespace, without_sidecar(template))
    template["metadata"]["labels"] |= INJECT
    by_template = as_stored(cluster, ELSEWHERE, template)
    ours = by_policy["spec"]["initContainers"]
    assert [one["name"] for one in ours] == ["bss-sidecar"]
    assert sorted_lists(by_policy) == sorted_lists(by_template)


def test_the_policy_makes_the_pod_that_a_parent_chart_would_have_made(
    cluster: Cluster, helm: Helm, own_namespace: str
) -> None:
    # One name, for the ConfigMap is called after it.
    values = {**MANY, "inject": {"namespaces": [own_namespace]}}
    with installed(helm, "bss-sidecar", values):
        compare(cluster, own_namespace, MANY)


def test_with_everything_of_a_connection_too(cluster: Cluster, helm: Helm) -> None:
    for namespace in FULL["inject"]["namespaces"]:
        cluster.make_namespace(namespace, {})
    with installed(helm, "bss-sidecar", FULL):
        for namespace in FULL["inject"]["namespaces"]:
            compare(cluster, namespace, FULL)


def test_kustomize_makes_it_too(cluster: Cluster, tmp_path: Path) -> None:
    template = the("Deployment", manifests(render_parent()))["spec"]["template"]
    deployment = _deployment(without_sidecar(template))
    shutil.copytree(KUSTOMIZE, tmp_path / "component")
    files = {"deployment.json": deployment, "kustomization.yaml": _kustomization()}
    for name, content in files.items():
        (tmp_path / name).write_text(json.dumps(content), encoding="utf-8")
    made = yaml.safe_load(cluster.kubectl("kustomize", str(tmp_path)))["spec"]["template"]
    template["metadata"]["labels"] |= INJECT
    by_kustomize, by_template = (as_stored(cluster, ELSEWHERE, one) for one in (made, template))
    assert sorted_lists(by_kustomize) == sorted_lists(by_template)


def _deployment(template: Thing) -> Thing:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "pedkai-backend", "labels": {**PLAIN, **INJECT}},
        "spec": {"selector": {"matchLabels": {"app": "pedkai-backend"}}, "template": template},
    }


def _kustomization() -> Thing:
    return {"resources": ["deployment.json"], "components": ["component"]}
