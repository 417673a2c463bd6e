"""helm, as an operator calls it, against the tests' API server."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.cluster.cluster import Cluster, Refused, until
from tests.cluster.pedkai import pod, sidecars

CHART = Path(__file__).parents[2] / "helm" / "bss-sidecar"
OURS = "bss-system"
"""The namespace of the releases: none of Pedkai's."""


@dataclass(frozen=True, slots=True)
class Helm:
    """`folder` keeps what helm would keep at home."""

    cluster: Cluster
    folder: Path
    program: Path | None = None
    """The helm that comes with the tests unless given."""

    def run(self, *arguments: str) -> str:
        """What it printed. Raises `CalledProcessError`, which pytest shows with the output."""
        beside = self.program or shutil.which("helm", path=str(Path(sys.executable).parent))
        env = {"HOME": str(self.folder), "KUBECONFIG": str(self.cluster.kubeconfig)}
        env |= {"HELM_NAMESPACE": OURS, "PATH": "/usr/bin:/bin"}
        done = subprocess.run(
            [beside or "helm", *arguments], env=env, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"helm {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def install(self, release: str, values: Mapping[str, Any]) -> str:
        return self.run("install", release, str(CHART), "--create-namespace", *self._file(values))

    def upgrade(self, release: str, values: Mapping[str, Any]) -> str:
        return self.run("upgrade", release, str(CHART), *self._file(values))

    def _file(self, values: Mapping[str, Any]) -> tuple[str, str]:
        file = self.folder / "values.yaml"
        file.write_text(yaml.safe_dump(dict(values)), encoding="utf-8")
        return "--values", str(file)


def await_injection(cluster: Cluster, namespace: str, *, wanted: bool = True) -> None:
    """Policies reach the API server's admission by a watch, a moment after they are stored."""

    def reached() -> bool:
        try:
            return bool(sidecars(cluster.would_admit(pod(namespace)))) is wanted
        except Refused:
            return False

    until(reached)


@contextmanager
def installed(helm: Helm, release: str, values: Mapping[str, Any]) -> Iterator[None]:
    """Until the end of the block; `values` names the namespaces, of which it is waited for all."""
    helm.install(release, values)
    try:
        for namespace in values["inject"]["namespaces"]:
            await_injection(helm.cluster, namespace)
        yield
    finally:
        helm.run("uninstall", release)
        for namespace in values["inject"]["namespaces"]:
            await_injection(helm.cluster, namespace, wanted=False)
