"""The chart as a whole, and the words that it says."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.helm.charts import CHART, PARENT, helms, manifests, render, run_helm, the
from tests.helm.making import README, made_files
from tests.helm.matrix import ALL_PARTS, FULL
from tests.helm.values_table import sections

VALUES = (CHART / "values.yaml").read_text(encoding="utf-8")


@pytest.mark.parametrize("helm", helms(), ids=lambda path: Path(path).name)
def test_helm_finds_nothing_to_say_about_the_chart(helm: str) -> None:
    said = run_helm("lint", "--strict", "--kube-version", "1.37.0", str(CHART), helm=helm)
    assert "0 chart(s) failed" in said


@pytest.mark.parametrize("helm", helms(), ids=lambda path: Path(path).name)
def test_every_helm_renders_the_same_and_the_same_again(helm: str) -> None:
    assert manifests(render(ALL_PARTS, helm=helm)) == manifests(render(ALL_PARTS))


@pytest.mark.parametrize("version", ["1.36.0", "v1.36.4-eks-ba24e9c", "v1.37.1-gke.1024000"])
def test_clouds_own_versions_are_new_enough(version: str) -> None:
    assert the("MutatingAdmissionPolicy", manifests(render(kubernetes=version)))


def test_a_namespace_gets_the_tenants_that_it_may_ask_for_and_what_these_need() -> None:
    found = manifests(render(FULL))
    texts = {
        one["metadata"]["namespace"]: one["data"]["sidecar.yaml"]
        for one in found
        if one["kind"] == "ConfigMap"
    }
    british, german = (yaml.safe_load(texts[name]) for name in ("pedkai-uk", "pedkai-de"))
    assert set(british["tenants"]) == {"operator_uk", "operator_ie"}
    assert set(british["connections"]) == {"amdocs"}
    assert british["default_tenant"] == "operator_uk"
    assert set(german["tenants"]) == {"operator_de"}
    assert set(german["connections"]) == {"cerillion"}
    assert "default_tenant" not in german
    assert "operator_uk" not in texts["pedkai-de"]
    assert british["deadlines"] == german["deadlines"] == FULL["configuration"]["deadlines"]


def test_what_is_made_from_other_files_is_up_to_date() -> None:
    """If not: `python -P -m tests.helm`, and look at what has changed."""
    made = made_files()
    stale = [path.name for path, text in made.items() if path.read_text("utf-8") != text]
    assert stale == []


def test_every_value_says_what_it_means() -> None:
    rows = [row for section in sections(VALUES) for row in section.rows]
    mute = [row.path for row in rows if row.default and not row.meaning]
    assert mute == []
    assert len(rows) > 40


def test_the_readme_shows_what_the_parent_chart_of_the_tests_does() -> None:
    deployment = (PARENT / "templates" / "deployment.yaml").read_text(encoding="utf-8")
    block = README.read_text("utf-8").partition("{{- $sidecar := ")[2].partition("```")[0]
    missing = [
        line.strip()
        for line in block.splitlines()
        if "include" in line and line.strip() not in deployment
    ]
    assert missing == []
    assert block.count("include") >= 5


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [("policy", "kubectl patch deployment"), ("template", "Nothing is put into pods")],
)
def test_the_notes_tell_the_next_command(tmp_path: Path, mode: str, sentence: str) -> None:
    """`helm template` leaves the notes out, so here they are made a manifest."""
    chart = tmp_path / "bss-sidecar"
    shutil.copytree(CHART, chart)
    notes = (chart / "templates" / "NOTES.txt").read_text(encoding="utf-8")
    (chart / "templates" / "notes.yaml").write_text(
        f'{{{{ define "notes" }}}}{notes}{{{{ end }}}}\nkind: Notes\n'
        'text: {{ include "notes" . | toJson }}\n',
        encoding="utf-8",
    )
    values = {**ALL_PARTS, "inject": {**ALL_PARTS["inject"], "mode": mode}}
    text = the("Notes", manifests(render(values, chart=chart)))["text"]
    assert sentence in text
    assert "pedkai-uk, pedkai-de" in text
    assert "--namespace pedkai-uk secret/amdocs-client" in text
    assert "configmap/amdocs-ca" in text
    assert "--namespace pedkai secret/bss-redis deployment/bss-sidecar-redis" in text
    assert "bss-sidecar.pedkai.io/version!=0.1.0-" in text
