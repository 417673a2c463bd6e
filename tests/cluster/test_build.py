"""How the program of these tests is built. Compiles nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cluster import build
from tests.cluster.conftest import ASKED_FOR


@pytest.mark.skipif(not ASKED_FOR, reason="`make test-cluster` uses a real Kubernetes API server")
def test_the_program_was_built_before_its_tests() -> None:
    assert os.access(build.program(os.environ), os.X_OK)  # noqa: TID251  (where the cache is)


def test_without_go_one_line_says_what_is_missing(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, build.__file__],
        env={"PATH": "", "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "needs Go" in done.stderr


def test_what_is_built_is_kept_outside_the_project_and_by_version(tmp_path: Path) -> None:
    env = {"XDG_CACHE_HOME": str(tmp_path)}
    for place, name in (
        (build.program(env), f"kube-{build.kubernetes_version()}-"),
        (build.helm(env), f"helm-{build.helm_version()}-"),
    ):
        assert place.is_relative_to(tmp_path / "bss-sidecar")
        assert place.parent.name.startswith(name)


def test_once_it_is_there_no_go_is_needed(tmp_path: Path) -> None:
    env = {"XDG_CACHE_HOME": str(tmp_path)}
    for place in (build.program(env), build.helm(env)):
        place.parent.mkdir(parents=True)
        place.touch()
    done = subprocess.run(
        [sys.executable, build.__file__],
        env={"PATH": "", "XDG_CACHE_HOME": str(tmp_path)},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")


def test_the_version_is_one_that_has_the_policies() -> None:
    major, minor, _ = map(int, build.kubernetes_version().split("."))
    assert (major, minor) >= (1, 36)


def test_a_module_without_kubernetes_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "go.mod").write_text("module x\n", encoding="utf-8")
    monkeypatch.setattr(build, "MODULE", tmp_path)
    with pytest.raises(build.CannotBuild, match="pins no"):
        build.kubernetes_version()
