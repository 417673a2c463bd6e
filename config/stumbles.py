"""Where a file stops being YAML, in our own words.

The parser's own messages may quote the text that it stumbled over, which may be a secret.
"""

import yaml

from config.problems import Problem

_STUMBLES = {
    "could not find expected ':'": (
        "a key has no colon, or a text its closing quote",
        "key: value, and quote texts that go over several lines",
    ),
    "mapping values are not allowed": (
        "a colon stands where none may",
        'check the indentation, and quote a text that holds ": "',
    ),
    "did not find expected key": (
        "the indentation does not fit the lines above",
        "the same number of spaces for all keys of a group",
    ),
    "expected <block end>": (
        "the indentation does not fit the lines above",
        "the same number of spaces for all keys of a group",
    ),
    "cannot start any token": (
        "a text begins with a character that has a meaning in YAML, or a tab indents a line",
        "quotes around the text, and spaces to indent",
    ),
    "unexpected end of stream": ("a quote or bracket is never closed", "the closing one"),
}
_OTHERWISE = ("this is not YAML", "key: value lines, indented with spaces")


def stumble(error: yaml.MarkedYAMLError) -> Problem:
    """What is wrong with the file as a whole, with line and column."""
    message = error.problem or ""
    what, instead = next(
        (words for part, words in _STUMBLES.items() if part in message), _OTHERWISE
    )
    mark = error.problem_mark
    if mark is None:
        return Problem("", what, instead)
    where = f" (line {mark.line + 1}, column {mark.column + 1})"
    return Problem("", what + where, instead, mark.line + 1)
