"""Pedkai's pods, as its own chart writes them: nothing in them knows of a sidecar but a label."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from tests.cluster.cluster import Thing

DOMAIN = "bss-sidecar.pedkai.io"
INJECT = {f"{DOMAIN}/inject": "true"}
PLAIN = {"app": "pedkai-backend"}

_RESTRICTED: Thing = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def backend(**other: Any) -> Thing:
    """Its one container, which satisfies Pod Security "restricted"."""
    return {
        "name": "backend",
        "image": "pedkai-backend:1",
        "ports": [{"containerPort": 8000}],
        "env": [{"name": "DATABASE_URL", "value": "postgresql://pedkai"}],
        "volumeMounts": [{"name": "scratch", "mountPath": "/tmp"}],  # noqa: S108  (of a pod)
        "securityContext": deepcopy(_RESTRICTED),
        **other,
    }


def pod(
    namespace: str,
    *,
    labels: Mapping[str, str] = INJECT,
    annotations: Mapping[str, str] | None = None,
    **spec: Any,
) -> Thing:
    """`annotations` without their domain; `spec` replaces what the pod of Pedkai has."""
    metadata: Thing = {"generateName": "pedkai-backend-", "namespace": namespace}
    metadata["labels"] = {**PLAIN, **labels}
    if annotations is not None:
        metadata["annotations"] = {f"{DOMAIN}/{key}": value for key, value in annotations.items()}
    whole = {"containers": [backend()], "volumes": [{"name": "scratch", "emptyDir": {}}], **spec}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": whole}


def deployment(namespace: str, name: str, labels: Mapping[str, str] = INJECT) -> Thing:
    """Three replicas."""
    template = pod(namespace, labels={**labels, "deployment": name})
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "replicas": 3,
            "selector": {"matchLabels": {"deployment": name}},
            "template": {"metadata": {"labels": template["metadata"]["labels"]}}
            | {"spec": template["spec"]},
        },
    }


def named(things: list[Thing], name: str) -> Thing:
    """Of a list whose members have names, each one."""
    (found,) = [one for one in things if one["name"] == name]
    return found


def sidecars(admitted: Thing) -> list[Thing]:
    """Of a pod, wherever they are."""
    spec = admitted["spec"]
    everywhere = [*spec.get("initContainers", []), *spec["containers"]]
    return [one for one in everywhere if one["name"] == "bss-sidecar"]


def is_touched(admitted: Thing) -> bool:
    """Whether anything of ours is in it, but for what it asked with."""
    asked = dict(admitted["metadata"])
    asked.pop("managedFields", None)
    asked["labels"] = {k: v for k, v in asked.get("labels", {}).items() if k not in INJECT}
    asked["annotations"] = {
        k: v for k, v in asked.get("annotations", {}).items() if not k.startswith(DOMAIN)
    }
    return "bss-sidecar" in repr(asked) + repr(admitted["spec"]) or "BSS_SIDECAR" in repr(admitted)
