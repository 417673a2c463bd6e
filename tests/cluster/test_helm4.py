"""Helm 4, which applies on the server's side, on the same server as helm 3."""

import os
import shutil
import subprocess

import pytest

from tests.cluster import build
from tests.cluster.cluster import Cluster, until
from tests.cluster.pedkai import pod, sidecars
from tests.cluster.releases import CHART, Helm, installed
from tests.cluster.test_whole import MOCK, jobs_end
from tests.helm.charts import manifests, render
from tests.helm.matrix import MATRIX


@pytest.fixture(scope="module")
def helm4(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    program = build.helm(os.environ)  # noqa: TID251  (where the cache is)
    return Helm(cluster, tmp_path_factory.mktemp("helm4"), program)


def image(cluster: Cluster, namespace: str) -> str:
    """That a new pod would get; empty without a sidecar."""
    ours = sidecars(cluster.would_admit(pod(namespace)))
    return str(ours[0]["image"]) if ours else ""


@pytest.mark.skipif(not shutil.which("go"), reason="go reads what a program is made of")
def test_it_is_the_helm_that_is_pinned(helm4: Helm) -> None:
    said = subprocess.run(
        ["go", "version", "-m", str(helm4.program)], check=True, capture_output=True, text=True
    ).stdout
    assert f"helm.sh/helm/v4\tv{build.helm_version()}\th1:" in said


@pytest.mark.parametrize("values", MATRIX.values(), ids=MATRIX.keys())
def test_it_renders_what_helm_3_does(helm4: Helm, values: dict[str, object]) -> None:
    assert manifests(render(values, helm=str(helm4.program))) == manifests(render(values))


def test_it_finds_nothing_to_say_about_the_chart(helm4: Helm) -> None:
    said = helm4.run("lint", "--strict", "--kube-version", "1.37.0", str(CHART))
    assert "0 chart(s) failed" in said


def test_it_installs_upgrades_rolls_back_and_leaves_no_trace(
    cluster: Cluster, helm4: Helm, own_namespace: str
) -> None:
    values = {
        "inject": {"namespaces": [own_namespace]},
        "configuration": MOCK,
        "image": {"tag": "1"},
        "check": {"enabled": True},
    }
    before = cluster.everything()
    with jobs_end(cluster, well=True) as ended, installed(helm4, "four", values):
        assert image(cluster, own_namespace) == "bss-sidecar:1"
        helm4.upgrade("four", {**values, "image": {"tag": "2"}})
        until(lambda: image(cluster, own_namespace) == "bss-sidecar:2")
        helm4.run("rollback", "four", "1")
        until(lambda: image(cluster, own_namespace) == "bss-sidecar:1")
    assert ended == ["four-bss-sidecar-check"] * 2
    assert cluster.everything() == before


def test_a_release_of_helm_3_is_taken_over(
    cluster: Cluster, helm: Helm, helm4: Helm, own_namespace: str
) -> None:
    values = {"inject": {"namespaces": [own_namespace]}, "image": {"tag": "1"}}
    before = cluster.everything()
    with installed(helm, "heir", values):
        helm4.upgrade("heir", {**values, "image": {"tag": "2"}})
        until(lambda: image(cluster, own_namespace) == "bss-sidecar:2")
    assert cluster.everything() == before
