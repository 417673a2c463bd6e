"""The configuration reference."""

import re
from pathlib import Path

import yaml

from adapters.registry import reaches
from config.reference import reference
from config.schema import json_schema
from config.settings import Settings

ROOT = Path(__file__).parents[2]
TEXT = reference(json_schema(reaches()))


def documented() -> set[str]:
    """The dotted path of every setting that has a row."""
    found = set()
    for section in TEXT.split("\n## ")[1:]:
        head, _, body = section.partition("\n")
        group = head.strip("`") if head.startswith("`") else ""
        for name in re.findall(r"^\| `(\w+)` \|", body, re.MULTILINE):
            found.add(f"{group}.{name}" if group else name)
    return found


def test_the_committed_reference_is_that_of_the_settings() -> None:
    committed = (ROOT / "docs/configuration.md").read_text()
    assert committed == TEXT, "bss-sidecar config reference > docs/configuration.md"


def test_every_setting_has_a_row_with_its_default() -> None:
    for group, name, default in (
        ("deadlines", "single", "`450ms`"),
        ("limits", "request_body", "`64KiB`"),
        ("cache", "store", "`memory`"),
        ("connections.NAME.guard.hedging", "enabled", "`false`"),
    ):
        section = TEXT.split(f"## `{group}`\n")[1].split("\n## ")[0]
        row = next(line for line in section.splitlines() if line.startswith(f"| `{name}` |"))
        assert row.split(" | ")[2] == default


def test_every_setting_of_the_example_is_documented() -> None:
    example = yaml.safe_load((ROOT / "config/sidecar.example.yaml").read_text())
    free = {"connections", "tenants"}
    known = documented()

    def walk(here: object, path: str) -> None:
        if not isinstance(here, dict) or path in known:
            assert path in known, path
            return
        for name, inner in here.items():
            step = "NAME" if path in free else name
            walk(inner, f"{path}.{step}" if path else step)

    walk(example, "")


def test_no_setting_is_without_a_description() -> None:
    rows = [line for line in TEXT.splitlines() if re.match(r"^\| `\w+` \|", line)]
    assert len(rows) > len(Settings.model_fields)
    assert [row for row in rows if row.rstrip(" |").endswith("|")] == []
    assert [row for row in rows if not row.split(" | ")[1].strip()] == []


def test_what_only_the_environment_may_hold_says_so() -> None:
    assert "| `client_secret` | `${NAME}` |" in TEXT
