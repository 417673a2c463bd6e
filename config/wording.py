"""pydantic's findings in our own words: what is wrong, what to write instead.

pydantic's text is not passed on: some of it quotes what it was given.
"""

from collections.abc import Mapping
from typing import Any

from config.descriptions import description
from config.problems import Place
from config.shape import field_at, fields_at, group_at, likely_setting

_TEXT = ("is not text", "text; a number or a word like true in quotes")
_WHOLE = ("is not a whole number", "a whole number without a unit")
_NUMBER = ("is not a number", "a number without a unit, such as 0.5")
_GROUP = ("is not a group of settings", "key: value lines below it, indented")
_LIST = ("is not a list", "a list, such as [first, second]")
_FIXED: Mapping[str, tuple[str, str]] = {
    "string_type": _TEXT,
    "string_unicode": _TEXT,
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": _WHOLE,
    "int_from_float": _WHOLE,
    "finite_number": _NUMBER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "bool_type": ("is neither true nor false", "true or false"),
    "bool_parsing": ("is neither true nor false", "true or false"),
    "dict_type": _GROUP,
    "model_type": _GROUP,
    "tuple_type": _LIST,
    "string_too_short": ("is empty", "a text, or no such line"),
}
_PATTERNS = {
    "^[A-Z]{3}$": ("is not a currency code", "three capitals of ISO 4217, such as GBP"),
    "^[a-z][a-z0-9_]{2,99}$": (
        "is not a tenant id",
        "3 to 100 small letters, digits or _, beginning with a letter",
    ),
    "^[a-z][a-z0-9_-]{0,62}$": (
        "is not a connection name",
        "1 to 63 small letters, digits, _ or -, beginning with a letter",
    ),
}
_BOUNDS = {"ge": "at least", "gt": "more than", "le": "at most", "lt": "less than"}


def explain(kind: str, place: Place, context: Mapping[str, Any]) -> tuple[str, str]:
    """What is wrong and what to write instead, for one of pydantic's error types."""
    if place == ("schema_version",):
        what = "is missing" if kind == "missing" else "is not a version that this sidecar reads"
        return what, "schema_version: 1"
    match kind:
        case "missing":
            words = "is missing", _described(place)
        case "extra_forbidden":
            words = "is not a setting here", _meant(place)
        case "literal_error":
            names = str(context["expected"]).replace("'", "")
            words = "is none of the possible values", f"one of {names}"
        case "value_error":  # only config.units raises it, in words of its own
            words = "is not a value with a unit", str(context["error"])
        case _:
            words = _FIXED.get(kind) or _bounded(place, context)
    return words


def _bounded(place: Place, context: Mapping[str, Any]) -> tuple[str, str]:
    pattern = str(context.get("pattern"))
    if pattern in _PATTERNS:
        return _PATTERNS[pattern]
    bounds = [f"{words} {context[name]:g}" for name, words in _BOUNDS.items() if name in context]
    if bounds:
        return "is out of range", bounds[0]
    return "is not what belongs here", _described(place)


def _described(place: Place) -> str:
    group = group_at(place[:-1]) if field_at(place) else None
    text = " ".join(description(group, str(place[-1])).split()) if group else ""
    return text.rstrip(".") or "what `bss-sidecar config schema` describes"


def _meant(place: Place) -> str:
    group, key = place[:-1], str(place[-1])
    meant = likely_setting(group, key)
    if meant:
        return f"did you mean {meant}?"
    fields = fields_at(group)
    return f"nothing, or one of {', '.join(fields)}" if fields else "nothing"
