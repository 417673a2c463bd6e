"""What the chart renders is what Kubernetes takes, for whatever values operators have."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from adapters.registry import reaches
from config.load import load
from tests.helm.charts import (
    NAMESPACE,
    Manifest,
    manifests,
    render,
    render_parent,
    the,
)
from tests.helm.matrix import MATRIX

pytestmark = pytest.mark.parametrize("values", MATRIX.values(), ids=MATRIX.keys())

WITHOUT_THE_API = ("1.29", "1.33")
WITH_THE_API = "1.37"
SECURE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "readOnlyRootFilesystem": True,
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""What pod security "restricted" asks of a container, and a root file system that is read-only."""


OTHERS = {"PodMonitor", "PrometheusRule", "Certificate", "ExternalSecret"}
"""Kinds of operators that a cluster may have."""


def judge(found: list[Manifest], kubernetes: str) -> None:
    """Raises where a manifest is not valid, or has a field that there is not."""
    assert found
    for manifest in found:
        if manifest["kind"] not in OTHERS:
            _judge(json.dumps(manifest), kubernetes)


@cache
def _judge(manifest: str, kubernetes: str) -> None:
    """Many releases have the same policy, and reading its schema takes long."""
    kubernetes_validate.validate(json.loads(manifest), kubernetes, strict=True)


def test_each_manifest_is_valid_where_policies_are(values: dict[str, Any]) -> None:
    found = manifests(render(values))
    judge(found, WITH_THE_API)
    names = [
        (one["kind"], one["metadata"].get("namespace"), one["metadata"]["name"]) for one in found
    ]
    assert len(set(names)) == len(names)
    namespaces = set(values.get("inject", {}).get("namespaces", [NAMESPACE]))
    configured = {namespace for kind, namespace, name in names if name.endswith("-config")}
    assert configured == namespaces
    binding = the("MutatingAdmissionPolicyBinding", found)
    selector = binding["spec"]["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert set(selector[0]["values"]) == namespaces


def test_older_clusters_get_the_container_from_a_parent_chart(values: dict[str, Any]) -> None:
    found = manifests(render_parent(values))
    for kubernetes in WITHOUT_THE_API:
        judge(found, kubernetes)
    assert not [one for one in found if "AdmissionPolicy" in one["kind"]]

    spec = the("Deployment", found, "pedkai-backend")["spec"]["template"]["spec"]
    (container,) = spec["initContainers"]
    assert container["restartPolicy"] == "Always"
    assert container["securityContext"].items() >= SECURE.items()
    memory = container["resources"]["limits"]["memory"]
    assert container["resources"]["requests"]["memory"] == memory
    mounted = {mount["name"]: mount for mount in container["volumeMounts"]}
    assert set(mounted) == {volume["name"] for volume in spec["volumes"]}
    assert not [mount for mount in mounted.values() if "subPath" in mount]
    for volume in spec["volumes"]:
        source = volume.get("secret") or volume.get("configMap")
        assert source is None or source["optional"] is True


def test_each_configuration_is_one_that_the_sidecar_takes(values: dict[str, Any]) -> None:
    for manifest in manifests(render(values)):
        if "sidecar.yaml" in manifest.get("data", {}):
            text = manifest["data"]["sidecar.yaml"]
            load(
                Path("sidecar.yaml"),
                env={"CERILLION_CLIENT": "pedkai"},
                read=lambda _path, text=text: text,  # type: ignore[misc]  # mypy knows no default
                vendors=reaches(),
            )
