"""A profile is the settings of `tmf`, with defaults."""

from dataclasses import fields

import pytest

from adapters.exchange import Api
from adapters.tmf.profile import Profile
from config.tmf_settings import TmfProfile


def test_a_profile_has_a_field_for_each_setting_and_no_other() -> None:
    """Only the paths differ: where an API is, is said by `connections.<name>.apis`."""
    assert {field.name for field in fields(Profile)} - {"api_paths"} == set(TmfProfile.model_fields)


def test_every_default_is_a_value_that_the_settings_accept() -> None:
    defaults = {field.name: getattr(Profile(), field.name) for field in fields(Profile)}
    del defaults["api_paths"]
    assert TmfProfile(**defaults).model_dump() == defaults


def test_a_setting_replaces_a_default_and_none_keeps_it() -> None:
    changed = Profile().with_settings({"page_size": 7, "batch_style": None})
    assert changed == Profile(page_size=7)
    assert Profile().with_settings(TmfProfile().model_dump()) == Profile()


def test_an_unknown_setting_is_an_error() -> None:
    with pytest.raises(TypeError):
        Profile().with_settings({"page_sise": 7})


@pytest.mark.parametrize(
    ("profile", "party", "ticket"),
    [
        (Profile(), "relatedParty.id", "relatedParty.id"),
        (
            Profile(version="v5"),
            "relatedParty.partyOrPartyRole.id",
            "relatedParty.partyOrPartyRole.id",
        ),
        (Profile(ticket_query="account"), "relatedParty.id", "relatedEntity.id"),
        (
            Profile(version="v5", ticket_query="account"),
            "relatedParty.partyOrPartyRole.id",
            "relatedEntity.entity.id",
        ),
        (Profile(party_filter="p", ticket_filter="t"), "p", "t"),
    ],
)
def test_filters_are_named_as_the_version_names_them_unless_they_are_set(
    profile: Profile, party: str, ticket: str
) -> None:
    assert (profile.party_parameter, profile.ticket_parameter) == (party, ticket)


def test_the_paths_follow_the_version() -> None:
    assert Profile(version="v5").path_of(Api.PRODUCT_INVENTORY) == "productInventory/v5/"
    assert all(Profile().path_of(api).endswith("/v4/") for api in Api)
