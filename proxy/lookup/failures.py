"""What an adapter raised, in words that may be told."""

from collections.abc import Callable, Iterator
from typing import TypeAlias

Report: TypeAlias = Callable[[str], object]
"""Takes the type names of an exception. Its text may hold personal data, so nobody gets it."""


def type_names(error: Exception) -> str:
    """Those of all that a group holds, each once: `KeyError+ValueError`."""
    return "+".join(sorted({type(leaf).__qualname__ for leaf in _leaves(error)}))


def _leaves(error: Exception) -> Iterator[Exception]:
    if isinstance(error, ExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error
