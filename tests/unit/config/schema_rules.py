"""As much of JSON Schema 2020-12 as our schema uses, for tests."""

import re
from typing import Any

_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "null": type(None),
}
_KNOWN = {
    *("$ref", "anyOf", "type", "enum", "const", "pattern", "minLength", "minimum", "maximum"),
    "exclusiveMinimum",
    *("properties", "patternProperties", "additionalProperties", "propertyNames", "required"),
    *("items", "default", "description", "title", "$schema", "$defs"),
}


def faults(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str = "") -> list[str]:
    """Paths at which a value does not match."""
    assert schema.keys() <= _KNOWN, f"unheard-of keywords: {schema.keys() - _KNOWN}"
    if "$ref" in schema:
        return faults(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, at)
    if "anyOf" in schema:
        tries = [faults(value, one, root, at) for one in schema["anyOf"]]
        return [] if [] in tries else [at, *max(tries, key=len)]
    if not _matches(value, schema):
        return [at]
    if isinstance(value, dict):
        return _in_object(value, schema, root, at)
    if isinstance(value, list):
        items = schema.get("items", {})
        return [f for n, one in enumerate(value) for f in faults(one, items, root, f"{at}[{n}]")]
    return []


def _matches(value: Any, schema: dict[str, Any]) -> bool:
    kind = schema.get("type")
    if kind and (
        not isinstance(value, _TYPES[kind]) or (value is True and kind in {"integer", "number"})
    ):
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if isinstance(value, str):
        fits = re.search(schema.get("pattern", ""), value) is not None
        return (
            fits
            and len(value) >= schema.get("minLength", 0)
            and value in schema.get("enum", [value])
        )
    if isinstance(value, int | float):
        above = value > schema.get("exclusiveMinimum", value - 1)
        return bool(above and schema.get("minimum", value) <= value <= schema.get("maximum", value))
    return True


def _in_object(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str) -> list[str]:
    found = [f"{at}.{name}" for name in schema.get("required", ()) if name not in value]
    for key, inner in value.items():
        place = f"{at}.{key}"
        found += faults(key, schema.get("propertyNames", {}), root, place)
        patterns = schema.get("patternProperties", {}).items()
        of = schema.get("properties", {}).get(key) or next(
            (kind for pattern, kind in patterns if re.search(pattern, key)),
            schema.get("additionalProperties", {}),
        )
        found += [place] if of is False else faults(inner, of, root, place)
    return found
