"""What is put into a pod, as each way of injection has it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.helm.cel import evaluate
from tests.helm.charts import Manifest, the

VERSION = "bss-sidecar.pedkai.io/version"


@dataclass(frozen=True, slots=True)
class Injected:
    """Lists in the order of the source."""

    container: dict[str, Any]
    volumes: list[dict[str, Any]]
    env: list[dict[str, Any]]
    volume_mounts: list[dict[str, Any]]


def by_policy(found: list[Manifest]) -> Injected:
    """For a pod without annotations."""
    policy = the("MutatingAdmissionPolicy", found)
    expressions = {one["name"]: one["expression"] for one in policy["spec"]["variables"]}
    chosen = {name: _default(expressions[name]) for name in _CHOICES} | {"podHasBudget": False}
    return Injected(
        container=evaluate(expressions["container"], chosen),
        volumes=evaluate(expressions["volumes"], chosen),
        env=evaluate(expressions["env"], chosen),
        volume_mounts=evaluate(expressions["volumeMounts"], chosen),
    )


def by_template(found: list[Manifest]) -> Injected:
    """Of the parent chart's Deployment."""
    return _of_pod(the("Deployment", found, "pedkai-backend")["spec"]["template"]["spec"])


def by_kustomize(patch: Path) -> Injected:
    return _of_pod(yaml.safe_load(patch.read_text("utf-8"))["spec"]["template"]["spec"])


_CHOICES = ("image", "logLevel", "authentication", "memory", "cpuRequest")


def _default(expression: str) -> Any:
    """What stands behind the last colon of `what was asked, if it is good : the value`."""
    return evaluate(expression.rpartition(" : ")[2], {})


def _of_pod(spec: dict[str, Any]) -> Injected:
    (container,) = spec["initContainers"]
    (backend,) = spec["containers"]
    return Injected(
        container=container,
        volumes=spec["volumes"],
        env=backend["env"],
        volume_mounts=backend.get("volumeMounts") or [],
    )
