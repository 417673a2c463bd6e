"""The JSON Schema of a configuration file, for editors and for people.

Generated from the settings, whose docstrings become its descriptions. It describes the file, in
which `${NAME}` stands for an environment variable; the rules between settings are not part of it.
"""

from collections.abc import Iterable
from typing import Any

from config.descriptions import description
from config.group import Group
from config.settings import Settings
from config.units import DURATION, SIZE, format_duration, format_size

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_VARIABLE: dict[str, Any] = {
    "description": "An environment variable, as the whole of a value.",
    "type": "string",
    "pattern": r"^\$\{[A-Za-z_][A-Za-z0-9_]*\}$",
}
_REFERENCE = {"$ref": "#/$defs/EnvironmentVariable"}
_OPEN_DSN = {
    "description": "Without a password.",
    "type": "string",
    "pattern": r"^(postgresql\+asyncpg://[^:@?]*(@[^@?]*)?|sqlite\+aiosqlite:///[^@?]*)$",
}
_WRITTEN = {DURATION: format_duration, SIZE: format_size}


def json_schema(vendors: Iterable[str]) -> dict[str, Any]:
    """Draft 2020-12. `vendors`: the names that a connection's `vendor` may have."""
    made = Settings.model_json_schema()
    definitions = made.pop("$defs")
    definitions["Connection"]["properties"]["vendor"]["enum"] = sorted(vendors)
    kinds = {kind.__name__: kind for kind in Group.__subclasses__()}
    groups = {name: _group(group, kinds[name]) for name, group in definitions.items()}
    return {
        "$schema": _DIALECT,
        **_group(made, Settings),
        "title": "Configuration of bss-sidecar",
        "$defs": {"EnvironmentVariable": _VARIABLE, **groups},
    }


def _group(made: dict[str, Any], kind: type[Group]) -> dict[str, Any]:
    """A group of settings, each as it stands in the file."""
    group = {key: value for key, value in made.items() if key != "title"}
    group["description"] = _one_line(made["description"])
    group["properties"] = {
        name: _setting(name, _described(of, description(kind, name)))
        for name, of in made["properties"].items()
    }
    return group


def _described(made: dict[str, Any], text: str) -> dict[str, Any]:
    return {"description": text, **made} if text else made


def _setting(name: str, made: dict[str, Any]) -> dict[str, Any]:
    kinds = made.get("anyOf", [made])
    outer: dict[str, Any] = {key: made[key] for key in ("description", "default") if key in made}
    if "description" in outer:
        outer["description"] = _one_line(outer["description"])
    inner = [_kind(name, {k: v for k, v in kind.items() if k not in outer}) for kind in kinds]
    if outer.get("default") is None or isinstance(outer["default"], dict):
        outer.pop("default", None)  # "nothing" and "all defaults" help nobody
    elif (pattern := made.get("pattern")) in _WRITTEN:
        outer["default"] = _WRITTEN[pattern](outer["default"])
    choices = [choice for kind in inner for choice in kind]
    if len(choices) == 1:
        return {**outer, **choices[0]}
    return {**outer, "anyOf": choices}


def _kind(name: str, made: dict[str, Any]) -> list[dict[str, Any]]:
    """The ways to write one kind of value."""
    kind = {key: value for key, value in made.items() if key != "title"}
    if kind.get("format") == "password":
        return [_REFERENCE, _OPEN_DSN] if name == "dsn" else [_REFERENCE]
    if "patternProperties" in kind:
        return [{**kind, "additionalProperties": False}]
    if kind.get("type") == "array":
        entries = _kind(name, kind["items"])
        return [{**kind, "items": entries[0] if len(entries) == 1 else {"anyOf": entries}}]
    is_free = "type" not in kind or kind["type"] in {"object", "null"} or "const" in kind
    if is_free or (kind["type"] == "string" and not kind.keys() & {"pattern", "enum"}):
        return [kind]
    return [kind, _REFERENCE]


def _one_line(docstring: str) -> str:
    return " ".join(docstring.split())
