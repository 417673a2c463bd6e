"""How one query asks for many values: TMF630 allows three ways, and few vendors take all.

A URL stays under 2,000 characters, so many values become several queries.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import quote

from adapters.exchange import Query
from adapters.tmf.profile import BatchStyle

URL_CHARACTERS = 1_500
"""For a query, percent-encoded. The rest of 2,000 is for the address in front, and for paging."""

_SEPARATORS = {"comma": ",", "semicolon": ";"}


def any_of(name: str, values: Sequence[str], style: BatchStyle) -> Query:
    """`name` is any of these values. With style `off` there is one value at most."""
    if style in _SEPARATORS and values:
        return ((name, _SEPARATORS[style].join(values)),)
    return tuple((name, value) for value in values)


def groups(
    name: str, values: Sequence[str], *, style: BatchStyle, size: int, characters: int
) -> Iterator[tuple[str, ...]]:
    """The values in groups, each of which fits one query.

    A value that a vendor would take apart, because a separator is in it, is a group of its own.
    """
    most = 1 if style == "off" else size
    one_more = encoded_length(any_of(name, ("", ""), style)) - encoded_length(((name, ""),))
    group: list[str] = []
    length = 0
    for value in values:
        own = len(quote(value, safe=""))
        if group and (
            len(group) >= most
            or _is_taken_apart(value)
            or _is_taken_apart(group[0])
            or length + one_more + own > characters
        ):
            yield tuple(group)
            group = []
        length = length + one_more + own if group else encoded_length(((name, value),))
        group.append(value)
    if group:
        yield tuple(group)


def _is_taken_apart(value: str) -> bool:
    return "," in value or ";" in value


def encoded_length(query: Query) -> int:
    """Characters of a query in a URL, at its longest: everything that may be encoded is."""
    return sum(
        len(quote(name, safe="")) + len(quote(value, safe="")) + len("=&") for name, value in query
    )
