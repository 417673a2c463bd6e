"""`python -m adapters.simulator`: what its help says."""

import re
import shlex

import pytest

from adapters.simulator.__main__ import parser


def test_the_help_has_words_for_every_option() -> None:
    lacking = [action.dest for action in parser()._actions if not action.help]
    assert lacking == []


def test_the_example_of_the_help_is_a_command_line_that_is_taken() -> None:
    text = parser().format_help().replace("\\\n", " ")
    (example,) = re.findall(r"^ +python -m adapters\.simulator (.+)$", text, re.MULTILINE)
    options = parser().parse_args(shlex.split(example))
    assert (options.shape, options.port, options.latency) == ("cerillion", 9999, 0.015)


def test_what_is_not_a_time_is_refused() -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["--latency", "15"])
