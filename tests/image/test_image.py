"""What the Dockerfile says."""

import re
import shutil
import subprocess

import pytest

from tests.image.conftest import ROOT
from tests.image.dockerfile import Stage, exec_form, settings


def test_the_linter_has_nothing_to_say() -> None:
    hadolint = shutil.which("hadolint", path=f"{ROOT}/.venv/bin") or shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("no hadolint on this machine")
    said = subprocess.run(
        [hadolint, str(ROOT / "Dockerfile")], capture_output=True, text=True, check=False
    )
    assert (said.stdout, said.returncode) == ("", 0)


def test_it_runs_as_a_numbered_user_of_its_own_without_a_shell(final: Stage) -> None:
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", final.values("USER")[-1])
    assert exec_form(final, "ENTRYPOINT") == ["python", "-P", "-m", "proxy"]
    assert exec_form(final, "CMD")[:2] == ["serve", "--fail-open"]


def test_the_chart_runs_it_as_the_same_user(final: Stage) -> None:
    values = (ROOT / "helm/bss-sidecar/values.yaml").read_text()
    number, group = final.values("USER")[-1].split(":")
    assert f"runAsUser: {number}\n" in values
    assert f"runAsGroup: {group}\n" in values


def test_nothing_is_installed_that_no_lock_names(written: list[Stage]) -> None:
    installs = [
        part
        for stage in written
        for command in stage.values("RUN")
        for part in command.split("&&")
        if "pip " in part and " install " in part
    ]
    assert installs
    for part in installs:
        locked = "--require-hashes" in part and "--only-binary :all:" in part
        assert locked or "--no-deps /wheels/" in part


def test_the_last_stage_has_one_layer_and_says_what_it_is(final: Stage) -> None:
    assert final.base == "scratch"
    assert final.values("COPY") == ["--from=trimmed / /"]
    assert not final.values("RUN")
    labels = {name.removeprefix("org.opencontainers.image.") for name in settings(final, "LABEL")}
    assert {"title", "description", "licenses", "version", "revision", "created"} <= labels


def test_a_builder_is_sent_only_what_the_steps_copy(written: list[Stage]) -> None:
    rules = (ROOT / ".dockerignore").read_text().splitlines()
    let_in = {rule[1:].rstrip("/") for rule in rules if rule.startswith("!")}
    copied = {
        word.split("/")[0]
        for stage in written
        for rest in stage.values("COPY")
        if not rest.startswith("--from")
        for word in rest.split()[:-1]
    }
    assert let_in == copied
