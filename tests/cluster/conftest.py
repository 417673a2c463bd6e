"""One API server for all tests of a run, and one release that most of them look at.

They need `make test-cluster`, which builds the server. Elsewhere one line says that they are not
run: a skip for each would hide the others.
"""

import os
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any

import pytest

from tests.cluster import build
from tests.cluster.cluster import Cluster, running_cluster
from tests.cluster.releases import OURS, Helm, installed

ASKED_FOR = os.environ.get("CLUSTER") == "full"  # noqa: TID251  (a test knob)

collect_ignore_glob = [] if ASKED_FOR else ["test_[!b]*.py"]  # all but test_build.py

LISTED, RESTRICTED, ELSEWHERE = "operator-a", "restricted", "elsewhere"
"""Namespaces: two that the release injects into, one that it does not name."""

VALUES: Mapping[str, Any] = {
    "inject": {"namespaces": [LISTED, RESTRICTED]},
    "image": {"repository": "registry.example/bss-sidecar", "tag": "1.2.3"},
    "credentials": {"amdocs": {"existingSecret": "amdocs-client"}},
    "trust": {"amdocs": {"existingConfigMap": "amdocs-ca"}, "csg": {"existingSecret": "csg-ca"}},
    "cacheKeys": {"existingSecret": "bss-cache-keys"},
}

_NUMBERS = count()


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    program = build.program(os.environ)  # noqa: TID251  (where the cache is)
    with running_cluster(program, tmp_path_factory.mktemp("cluster")) as running:
        level = {"pod-security.kubernetes.io/enforce": "restricted"}
        for name in (OURS, LISTED, ELSEWHERE):
            running.make_namespace(name, {})
        running.make_namespace(RESTRICTED, level)
        yield running


@pytest.fixture(scope="session")
def helm(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Helm:
    return Helm(cluster, tmp_path_factory.mktemp("helm"))


@pytest.fixture(scope="session")
def release(helm: Helm) -> Iterator[None]:
    """Installed with `VALUES`."""
    with installed(helm, "bss", VALUES):
        yield


@pytest.fixture
def own_namespace(cluster: Cluster) -> str:
    """That no other test knows."""
    name = f"own-{next(_NUMBERS)}"
    cluster.make_namespace(name, {})
    return name
