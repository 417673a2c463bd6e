"""The shape of the settings, read off their models: which keys stand where, and what they hold."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from config.group import Group
from config.problems import Place
from config.settings import Settings

NO_FIELDS: Mapping[str, FieldInfo] = {}


def group_at(place: Place) -> type[Group] | None:
    kind: Any = Settings
    for step in place:
        kind = _inner(kind, step)
    return kind if _is_group(kind) else None


def fields_at(place: Place) -> Mapping[str, FieldInfo]:
    """The settings of the group at a place; none where there is no group."""
    group = group_at(place)
    return NO_FIELDS if group is None else group.model_fields


def field_at(place: Place) -> FieldInfo | None:
    """The setting at a place; `None` for entries of a mapping and for what is no setting."""
    if not place or isinstance(place[-1], int):
        return None
    return fields_at(place[:-1]).get(place[-1])


def holds_secret(field: FieldInfo | None) -> bool:
    return field is not None and _essence(field.annotation) is SecretStr


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """The candidate that a slip of the finger could have turned into `word`."""
    folded = word[:64].casefold()
    by_folded = {candidate.casefold(): candidate for candidate in candidates}
    swapped = [near for near in by_folded if sorted(near) == sorted(folded)]
    close = swapped or difflib.get_close_matches(folded, list(by_folded), n=1, cutoff=0.7)
    return by_folded[close[0]] if close else None


def likely_setting(group: Place, key: str) -> str | None:
    """What an unknown key in a group was meant to be: a neighbour, or one a level below."""
    fields = fields_at(group)
    below = [
        f"{name}.{key}"
        for name, field in fields.items()
        if _is_group(inner := _essence(field.annotation)) and key in inner.model_fields
    ]
    return below[0] if below else nearest(key, fields)


def _inner(kind: Any, step: str | int) -> Any:
    """What stands at one key (or index) of something of this kind."""
    if _is_group(kind):
        field = kind.model_fields.get(step)
        return _essence(field.annotation) if field else None
    if get_origin(kind) is dict:
        return _essence(get_args(kind)[1])
    return None


def _is_group(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Group)


def _essence(annotation: Any) -> Any:
    """The type without `Annotated` and without `| None`."""
    if get_origin(annotation) is Annotated:
        return _essence(get_args(annotation)[0])
    members = get_args(annotation)
    if type(None) in members:
        return _essence(next(member for member in members if member is not type(None)))
    return annotation
