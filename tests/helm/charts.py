"""helm, run on the chart, and on a chart of Pedkai's own that takes the container from it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "bss-sidecar"
PARENT = Path(__file__).parent / "parent"
NAMESPACE = "pedkai"
RELEASE = "bss-sidecar"

Manifest: TypeAlias = dict[str, Any]
Values: TypeAlias = Mapping[str, Any]


class Refused(Exception):  # noqa: N818  (helm's words)
    """What helm says to values that it does not take."""


def helms() -> list[str]:
    """Every helm that is here: the one that comes with the tests, and a newer one if there is."""
    beside = Path(sys.executable).parent
    path = os.pathsep.join((str(beside), os.get_exec_path()[0], *os.get_exec_path()))
    found = [shutil.which(name, path=path) for name in ("helm", "helm4")]
    return [one for one in found if one is not None]


def run_helm(*arguments: str, helm: str | None = None) -> str:
    """What it prints. Raises `Refused`."""
    command = [helm or helms()[0], *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(done.stdout + done.stderr)
    return done.stdout


def render(
    values: Values | None = None,
    *,
    kubernetes: str = "1.37.0",
    chart: Path = CHART,
    helm: str | None = None,
    release: str = f"{NAMESPACE}/{RELEASE}",
) -> str:
    """What `helm template` makes of values. Raises `Refused`."""
    return _render(json.dumps(values or {}), kubernetes, chart, helm or helms()[0], release)


def manifests(text: str) -> list[Manifest]:
    return [one for one in yaml.load_all(text, Loader=_Loader) if one is not None]


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def the(kind: str, of: list[Manifest], name: str | None = None) -> Manifest:
    """The only manifest of a kind, or of those the one that is called so."""
    (one,) = [
        manifest
        for manifest in of
        if manifest["kind"] == kind and (name is None or manifest["metadata"]["name"] == name)
    ]
    return one


@contextmanager
def parent_chart() -> Iterator[Path]:
    """The parent chart with ours in it, as `helm dependency build` would leave it."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "pedkai"
        shutil.copytree(PARENT, folder)
        shutil.copytree(CHART, folder / "charts" / "bss-sidecar")
        yield folder


def render_parent(values: Values | None = None, *, kubernetes: str = "1.29.0") -> str:
    """The parent chart with values of ours, in mode `template`. Raises `Refused`."""
    given = values or {}
    ours = {**given, "inject": {**given.get("inject", {}), "mode": "template"}}
    return _render_parent(json.dumps({"bss-sidecar": ours}), kubernetes)


@cache
def _render_parent(values: str, kubernetes: str) -> str:
    with parent_chart() as chart:
        return _render(values, kubernetes, chart, helms()[0])


@cache
def _render(
    values: str, kubernetes: str, chart: Path, helm: str, release: str = f"{NAMESPACE}/{RELEASE}"
) -> str:
    """Several tests look at the same manifests. JSON is YAML."""
    namespace, _, name = release.partition("/")
    with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as file:
        file.write(values)
        file.flush()
        return run_helm(
            *("template", name, str(chart), "--namespace", namespace),
            *("--kube-version", kubernetes, "--values", file.name),
            helm=helm,
        )
