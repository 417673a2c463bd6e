"""An exception as it may be told: types and places in the code, never its text."""

from collections.abc import Iterator
from pathlib import PurePath
from traceback import walk_tb


def described(error: BaseException) -> dict[str, str]:
    """`error`: type names, of a group those of its leaves; `at`: where the first one was raised."""
    leaves = list(_leaves(error))
    return {
        "error": "+".join(sorted({type(leaf).__qualname__ for leaf in leaves})),
        "at": _place(leaves[0]),
    }


def _leaves(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _place(error: BaseException) -> str:
    """`module.py:function:line` of the innermost frame."""
    frames = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)]
    if not frames:
        return "-"
    code, line = frames[-1]
    return f"{PurePath(code.co_filename).name}:{code.co_name}:{line}"
