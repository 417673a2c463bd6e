"""A value of any shape without what is personal or secret in it: names of fields, then prose."""

import dataclasses
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from pydantic import BaseModel, SecretBytes, SecretStr

from adapters.scrubbing import fields
from adapters.scrubbing.kinds import PLACEHOLDER, REDACTED, TRUNCATED, Kind
from adapters.scrubbing.manifest import Manifest
from adapters.scrubbing.prose import scrub_prose

DEPTH = 32
NODES = 2_000
"""Values inside a value that are looked at; the rest is cut off."""
TEXT_CHARACTERS = 16_384
"""Of one text inside a value."""
_LISTS = (list, tuple, set, frozenset)
_KEPT = (date, time, timedelta)
_GONE = object()


@dataclass(slots=True)
class Walk:
    """One value on its way. What it returns is made anew; the value stays as it is."""

    manifest: Manifest
    kinds: Collection[Kind]
    left: int = NODES

    def value(
        self, value: object, path: str = "", *, kind: Kind | None = None, depth: int = 0
    ) -> Any:
        """`kind`: what its field's name says that it is."""
        if self.left <= 0 or depth > DEPTH:
            return TRUNCATED
        self.left -= 1
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, Enum):
            value = value.value
        if (named := _fields(value)) is not None:
            return self._mapping(named, path, kind, depth)
        if isinstance(value, _LISTS):
            return self._list(value, path, kind, depth)
        return self._scalar(value, path, kind)

    def _mapping(
        self, items: Iterable[tuple[object, object]], path: str, kind: Kind | None, depth: int
    ) -> dict[str, Any]:
        made: dict[str, Any] = {}
        whole = list(_first(items, self.left + 1))
        may_tell = _counts_enough(whole)
        for name, value in whole:
            if self.left <= 0:
                made[TRUNCATED] = TRUNCATED
                break
            key, inner = self._key(name, made, path), kind or self._kind_of(name)
            if isinstance(name, str) and fields.is_aggregate(name) and not may_tell:
                inner = Kind.BILLING_AMOUNT
            made[key] = self.value(
                value, f"{path}.{key}" if path else key, kind=inner, depth=depth + 1
            )
        return made

    def _list(
        self, value: Iterable[object], path: str, kind: Kind | None, depth: int
    ) -> list[Any] | tuple[Any, ...]:
        made: list[Any] = []
        for index, one in enumerate(_first(value, self.left + 1)):
            if self.left <= 0:
                made.append(TRUNCATED)
                break
            made.append(self.value(one, f"{path}[{index}]", kind=kind, depth=depth + 1))
        return tuple(made) if isinstance(value, tuple) else made

    def _scalar(self, value: object, path: str, kind: Kind | None) -> Any:
        if isinstance(value, SecretStr | SecretBytes):
            return Kind.SECRET.replacement
        text = _text(value)
        if text is None:
            return value if kind is None and isinstance(value, _KEPT) else REDACTED
        if kind is not None and kind in self.kinds and text and not _stays(kind, text):
            return self.manifest.add(kind, text, path)
        if isinstance(value, UUID):
            return value
        scrubbed = scrub_prose(
            text, self.manifest, path=path, most=TEXT_CHARACTERS, kinds=self.kinds
        )
        if isinstance(value, int | float | Decimal) and scrubbed == text:
            return value
        return scrubbed

    def _key(self, name: object, made: Mapping[str, Any], path: str) -> str:
        """Customers' ids may be the names of fields."""
        if isinstance(name, UUID):
            shown = self.manifest.add(Kind.CUSTOMER_ID, str(name), path)
        else:
            text = _text(name)
            shown = (
                REDACTED
                if text is None
                else scrub_prose(text, self.manifest, path=path, most=256, kinds=self.kinds)
            )
        unique, number = shown, 2
        while unique in made:
            unique, number = f"{shown} {number}", number + 1
        return unique

    def _kind_of(self, name: object) -> Kind | None:
        kind = fields.kind_of(str.__str__(name)) if isinstance(name, str) else None
        return kind if kind in self.kinds else None


def _fields(value: object) -> Iterator[tuple[object, object]] | None:
    """Names and values of what has names; `None`: it has none."""
    if isinstance(value, BaseModel):
        return _attributes(value, (*type(value).model_fields, *(value.model_extra or ())))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _attributes(value, (field.name for field in dataclasses.fields(value)))
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return _attributes(value, value._fields)
    if isinstance(value, Mapping):
        return iter(value.items())
    return None


def _attributes(value: object, names: Iterable[str]) -> Iterator[tuple[object, object]]:
    for name in names:
        found = getattr(value, name, _GONE)
        if found is not _GONE:
            yield name, found


def _counts_enough(items: Iterable[tuple[object, object]]) -> bool:
    counts = [value for name, value in items if isinstance(name, str) and fields.is_count(name)]
    return any(
        isinstance(one, int) and not isinstance(one, bool) and one >= fields.FEWEST_PRICED
        for one in counts
    )


def _stays(kind: Kind, text: str) -> bool:
    return PLACEHOLDER.fullmatch(text) is not None or fields.is_harmless(kind, text)


def _text(value: object) -> str | None:
    """What a scalar is as a text; `None` for what is none: its own words are not trusted."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes | bytearray):
        return bytes(value[: TEXT_CHARACTERS + 1]).decode("utf-8", "replace")
    if type(value) in {int, float, Decimal, UUID} or isinstance(value, PurePath):
        return _short(value)
    return None


def _short(value: object) -> str | None:
    """Python refuses to spell integers of more than 4,300 digits."""
    try:
        return str(value)
    except ValueError:
        return None


def _first(items: Iterable[Any], most: int) -> Iterator[Any]:
    for count, item in enumerate(items):
        if count >= most:
            return
        yield item
