"""Telling rows apart: words in any spelling, ids, references. Nothing here raises."""

from functools import lru_cache

from adapters.tmf.fields import Row, entries, identifier
from adapters.tmf.kinds import LONGEST_WORD


def members(value: object) -> list[Row]:
    """The objects of a list; a single object counts as a list of one, anything else as none."""
    return [one for one in entries(value) or () if isinstance(one, dict)]


def plain(value: object) -> str:
    """A word without case, spaces and marks: `"Bill Dispute"`, `BILL_DISPUTE`, `billDispute `."""
    if not isinstance(value, str):
        return ""
    return _known(value) if len(value) <= LONGEST_WORD else _plain(value)


def _plain(word: str) -> str:
    return "".join(letter for letter in word.casefold() if letter.isalnum())


_known = lru_cache(maxsize=256)(_plain)


@lru_cache(maxsize=256)
def plain_words(values: tuple[str, ...]) -> frozenset[str]:
    """Words of a connection's settings, which are asked for with every row."""
    return frozenset(plain(value) for value in values)


def id_of(value: object) -> str | None:
    """The id of a resource or a reference; `None` if it has none."""
    return identifier(value.get("id")) if isinstance(value, dict) else None


def points_to(reference: Row, kind: str) -> bool:
    """Whether a reference says that it points to a `kind`, or to an extension of it."""
    said = reference.get("@referredType")
    return said is not None and plain(said).startswith(plain(kind))


def fingerprint(value: object) -> str:
    """The same for the same resource: its id, or all of it. Personal data."""
    return id_of(value) or repr(value)
