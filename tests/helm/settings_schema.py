"""The sidecar's settings as definitions of `values.schema.json`.

What `bss-sidecar config schema` prints, in the dialect that every helm reads (draft 7), without
what the chart sets itself, and without `null`, which helm takes out of values before it judges.
"""

from typing import Any

from adapters.registry import reaches
from config.schema import json_schema

PREFIX = "sidecar."
SET_BY_THE_CHART = ("schema_version", "listeners", "auth", "logging")


def definitions() -> dict[str, Any]:
    """By the name of the definition, all of which begin with `PREFIX`."""
    made = json_schema(reaches())
    groups: dict[str, Any] = made.pop("$defs")
    settings = {key: value for key, value in made.items() if key not in ("$schema", "required")}
    settings["properties"] = {
        name: of for name, of in settings["properties"].items() if name not in SET_BY_THE_CHART
    }
    named = {"Settings": settings, **groups}
    wanted = _reached("Settings", named)
    return {PREFIX + name: _draft_7(named[name]) for name in sorted(wanted)}


def _draft_7(value: Any) -> Any:
    if isinstance(value, list):
        return [_draft_7(one) for one in value]
    if not isinstance(value, dict):
        return value
    if set(value) & {"anyOf"}:
        value = _without_null(value)
    return {
        key: inner.replace("#/$defs/", f"#/definitions/{PREFIX}")
        if key == "$ref"
        else _draft_7(inner)
        for key, inner in value.items()
        if key not in ("title", "default")
    }


def _without_null(value: dict[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in value["anyOf"] if kind != {"type": "null"}]
    rest = {key: inner for key, inner in value.items() if key != "anyOf"}
    return {**rest, **kinds[0]} if len(kinds) == 1 else {**rest, "anyOf": kinds}


def _reached(name: str, named: dict[str, Any]) -> set[str]:
    found: set[str] = set()
    waiting = [name]
    while waiting:
        group = waiting.pop()
        if group not in found:
            found.add(group)
            waiting += _references(named[group])
    return found


def _references(value: Any) -> list[str]:
    if isinstance(value, list):
        return [name for one in value for name in _references(one)]
    if not isinstance(value, dict):
        return []
    here = value["$ref"].removeprefix("#/$defs/") if "$ref" in value else None
    return ([here] if here else []) + [
        name for inner in value.values() for name in _references(inner)
    ]
