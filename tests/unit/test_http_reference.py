"""The HTTP reference."""

import json
import re
from pathlib import Path

import pytest

from config.settings import Limits
from proxy import cli
from proxy.http.openapi import document
from proxy.http.reference import reference

DOCUMENT = document(batch_ids=Limits().batch_ids)
TEXT = reference(DOCUMENT)


def test_the_committed_reference_is_that_of_the_document() -> None:
    committed = (Path(__file__).parents[2] / "docs/http.md").read_text()
    assert committed == TEXT, "bss-sidecar openapi --markdown > docs/http.md"


def test_every_operation_shows_every_status_it_may_answer() -> None:
    sections = {part.splitlines()[0]: part for part in TEXT.split("\n## ")[1:]}
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            told = sections[f"{method.upper()} `{path}`"]
            assert set(re.findall(r"^\| (\d{3}) \|", told, re.MULTILINE)) == set(
                operation["responses"]
            )


def test_every_link_leads_to_a_section() -> None:
    anchors = {line.removeprefix("## ").lower() for line in TEXT.splitlines() if "## " in line}
    assert set(re.findall(r"\(#(\w+)\)", TEXT)) <= anchors


def test_the_command_prints_the_document_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["openapi"]) == 0
    assert json.loads(capsys.readouterr().out) == DOCUMENT
