"""A connection can set each point of the TM Forum profile, and nothing that is none."""

from dataclasses import fields
from typing import Literal, get_args, get_origin, get_type_hints

from adapters.tmf.profile import Profile
from config.tmf_settings import TmfProfile

HINTS = get_type_hints(Profile)
POINTS = {field.name for field in fields(Profile)} - {"api_paths"}


def _choices(hint: object) -> set[str]:
    """The literal values inside a type, at any depth."""
    if get_origin(hint) is Literal:
        return set(get_args(hint))
    return {choice for inner in get_args(hint) for choice in _choices(inner)}


def test_each_point_of_the_profile_is_a_setting() -> None:
    assert set(TmfProfile.model_fields) == POINTS


def test_each_setting_takes_the_values_that_the_profile_knows() -> None:
    for name in POINTS:
        taken = {*_choices(TmfProfile.model_fields[name].annotation)}
        for inner in get_args(TmfProfile.model_fields[name].annotation):
            taken |= _choices(inner)
        assert taken == _choices(HINTS[name]), name
