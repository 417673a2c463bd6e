"""A small and strict YAML: one document of mappings, lists and plain values.

No aliases (they make bombs), no tags (they make objects), no key twice (the first one would be
lost unseen), capped in size and depth. Plain values are read by the core rules of YAML 1.2, so
that `no` is a word and `1:30` is no number.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from config.problems import ConfigurationProblems, Place, Problem
from config.stumbles import stumble

SIZE_LIMIT = 1024 * 1024
"""Bytes of a configuration file."""
DEPTH_LIMIT = 16
"""Mappings and lists inside one another."""

Plain: TypeAlias = str | int | float | bool | None

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[-+]?(\.[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{0,18})?)([eE][-+]?[0-9]{1,3})?")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that the document may not hold, though the rest of it can be read."""

    place: Place
    what: str
    instead: str


@dataclass(slots=True)
class Document:
    """What a file says, before anybody asks whether it makes sense."""

    root: dict[str, Any] = field(default_factory=dict, repr=False)
    lines: dict[Place, int] = field(default_factory=dict, repr=False)
    flaws: list[Flaw] = field(default_factory=list)


def parse_document(content: str | bytes) -> Document:
    """Raises `ConfigurationProblems` where nothing can be said about the content as a whole."""
    builder = _Builder()
    for event in _events(_decode(content)):
        builder.take(event)
    return builder.document()


def _hopeless(what: str, instead: str, line: int | None = None) -> ConfigurationProblems:
    return ConfigurationProblems([Problem("", what, instead, line)])


def _decode(content: str | bytes) -> str:
    try:
        raw = content.encode() if isinstance(content, str) else content
        text = raw.decode("utf-8-sig")
    except UnicodeError:
        raise _hopeless("is not UTF-8", "a text file in UTF-8") from None
    if len(raw) > SIZE_LIMIT:
        raise _hopeless("is larger than 1 MiB", "the settings only; id maps are files of their own")
    return text


def _events(text: str) -> Iterator[Any]:
    try:
        yield from yaml.parse(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        raise ConfigurationProblems([stumble(error)]) from None
    except yaml.YAMLError:
        raise _hopeless("holds characters that YAML does not allow", "printable text") from None


@dataclass(slots=True)
class _Open:
    """A mapping or list whose end has not come yet."""

    place: Place
    value: dict[str, Any] | list[Any]
    key: str | None = None
    """Of a mapping: the key that waits for its value."""
    again: bool = False
    """The key was there before; the value that comes is dropped."""


class _Builder:
    """Makes values of the parser's events, without recursion."""

    def __init__(self) -> None:
        self._result = Document()
        self._open: list[_Open] = []
        self._began = False

    def document(self) -> Document:
        if not self._began:
            raise _hopeless("is empty", "schema_version: 1, connections: and tenants:")
        return self._result

    def take(self, event: Any) -> None:
        match event:
            case yaml.DocumentStartEvent() if self._began:
                raise _hopeless("holds several documents", "one, without --- between")
            case yaml.ScalarEvent() | yaml.AliasEvent():
                self._leaf(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._begin(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._open.pop()
            case _:
                pass

    def _leaf(self, event: Any) -> None:
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            self._name(top, event)
            return
        value = _plain(event) if isinstance(event, yaml.ScalarEvent) else None
        self._attach(event, value)

    def _begin(self, event: Any) -> None:
        if len(self._open) >= DEPTH_LIMIT:
            raise _hopeless(
                f"has more than {DEPTH_LIMIT} groups inside one another",
                "the groups of config/sidecar.example.yaml",
                event.start_mark.line + 1,
            )
        top = self._open[-1] if self._open else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            raise _hopeless("a key is not a plain text", "key: value", event.start_mark.line + 1)
        value: dict[str, Any] | list[Any] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._open.append(_Open(self._attach(event, value), value))

    def _name(self, top: _Open, event: Any) -> None:
        key = event.value if isinstance(event, yaml.ScalarEvent) else ""
        place = (*top.place, key)
        self._flag(place, event)
        top.key, top.again = key, key in top.value
        if not key.isprintable():
            self._result.flaws.append(Flaw(place, "is a key of more than text", "a plain name"))
        elif top.again:
            self._result.flaws.append(Flaw(place, "stands here twice", "it once"))
        else:
            self._result.lines[place] = event.start_mark.line + 1

    def _attach(self, event: Any, value: Any) -> Place:
        """Put a value where it belongs, and say where that is."""
        if not self._open:
            self._take_root(event, value)
            return ()
        top = self._open[-1]
        if isinstance(top.value, list):
            place: Place = (*top.place, len(top.value))
            top.value.append(value)
            self._result.lines[place] = event.start_mark.line + 1
        else:
            key = top.key or ""
            place = (*top.place, key)
            if not top.again:
                top.value[key] = value
            top.key, top.again = None, False
        self._flag(place, event)
        return place

    def _take_root(self, event: Any, value: Any) -> None:
        self._began = True
        if value is None:
            raise _hopeless("is empty", "schema_version: 1, connections: and tenants:")
        if not isinstance(value, dict):
            raise _hopeless("is not a mapping", "key: value lines", event.start_mark.line + 1)
        self._flag((), event)
        self._result.root = value

    def _flag(self, place: Place, event: Any) -> None:
        if event.anchor is not None:
            self._result.flaws.append(
                Flaw(place, "uses a YAML anchor or alias", "the value itself, written out")
            )
        elif getattr(event, "tag", None) is not None:
            self._result.flaws.append(Flaw(place, "has a YAML tag", "the value without its tag"))


def _plain(event: Any) -> Plain:
    text: str = event.value
    if event.style:  # quoted, or a block of text
        return text
    return plain_value(text)


def plain_value(text: str) -> Plain:
    """What a text without quotes is, by the core rules of YAML 1.2."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _DECIMAL.fullmatch(text) else text
