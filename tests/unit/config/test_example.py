"""The example file: complete, true to the code, and free of warnings."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from config.document import parse_document
from config.problems import ConfigurationProblems
from config.schema import json_schema
from config.settings import (
    AdminListener,
    Audit,
    Auth,
    Cache,
    Connection,
    Database,
    DataListener,
    Deadlines,
    Guard,
    IdentitySource,
    Limits,
    Logging,
    OAuth2,
    OpsListener,
    Redis,
    Shutdown,
    Tenant,
    Wire,
)
from config.shape import fields_at
from config.tmf_settings import TmfProfile
from tests.unit.config.files import VENDORS, load_text
from tests.unit.config.schema_rules import faults

EXAMPLE = Path(__file__).parents[3] / "config" / "sidecar.example.yaml"
TEXT = EXAMPLE.read_text()
SWITCHED_ON = re.sub(r"^( *)#(?=\S+:( |$))", r"\1", TEXT, flags=re.MULTILINE)
"""With every setting that is commented out taken in."""


DEFAULTS_OF_REDIS = ("database", "cluster", "connections", "connect_timeout")
ENV = {"AMDOCS_CLIENT_SECRET": "s", "PEDKAI_DSN": "sqlite+aiosqlite:///x", "REDIS_PASSWORD": "s"}


def test_the_example_loads_as_it_is_and_nothing_is_odd_about_it() -> None:
    loaded = load_text(TEXT)
    assert loaded.warnings == []
    assert {one.vendor for one in loaded.settings.connections.values()} == set(VENDORS)


def test_its_values_are_the_defaults_of_the_code() -> None:
    settings = load_text(TEXT).settings
    amdocs = settings.connections["amdocs"]
    assert settings.listeners.data == DataListener()
    assert settings.listeners.ops == OpsListener()
    assert settings.listeners.admin == AdminListener()
    assert settings.auth == Auth()
    assert settings.deadlines == Deadlines()
    assert settings.limits == Limits()
    assert settings.cache == Cache()
    assert settings.shutdown == Shutdown()
    assert settings.logging == Logging()
    assert settings.audit == Audit()
    assert amdocs.wire == Wire()
    assert amdocs.guard == Guard()
    assert amdocs.insecure == Connection(vendor="amdocs").insecure
    assert amdocs.identity.remember == IdentitySource().remember
    assert amdocs.identity.remember_customers == IdentitySource().remember_customers
    assert amdocs.tmf == TmfProfile(version="v4")
    assert amdocs.oauth2 is not None
    assert amdocs.oauth2.method == OAuth2(token_url="t", client_id="c").method
    database = settings.connections["local"].database
    assert database is not None
    assert database.model_copy(update={"dsn_file": None}) == Database()
    tenant = settings.tenants["northern_mobile"]
    assert tenant.reporting_currency == Tenant(connection="x").reporting_currency


def test_the_values_of_redis_are_the_defaults_of_the_code() -> None:
    """They are commented out, for nothing may stand beside the store `memory`."""
    shown = parse_document(SWITCHED_ON).root["cache"]["redis"]
    redis = Redis.model_validate({key: shown[key] for key in DEFAULTS_OF_REDIS})
    assert redis == Redis()


def _missing(here: Any, place: tuple[str, ...]) -> Iterator[str]:
    """Settings that a group of the file does not show, at any depth."""
    for name, inner in here.items():
        if isinstance(inner, dict):
            yield from _missing(inner, (*place, name))
    for name in fields_at(place):
        if name not in here and (place[:1] != ("connections",) or _is_shown_in_full(place)):
            yield ".".join((*place, name))


def _is_shown_in_full(place: tuple[str, ...]) -> bool:
    return place[1] == "amdocs" or place == ("connections", "local", "database")


def test_every_setting_is_in_it() -> None:
    root = parse_document(SWITCHED_ON).root
    assert set(_missing(root, ())) <= {
        "connections.amdocs.database",  # under `local`
        *(f"tenants.{name}.reporting_currency" for name in root["tenants"]),
    }
    shown = parse_document(TEXT).root
    assert set(_missing(shown, ())), "nothing is commented out, so this test shows nothing"


def test_everything_in_it_is_a_setting_even_what_is_commented_out() -> None:
    with pytest.raises(ConfigurationProblems) as caught:
        load_text(SWITCHED_ON, ENV)
    found = [(problem.path, problem.what) for problem in caught.value.problems]
    assert found == [
        ("connections.amdocs.oauth2.client_secret", "stands beside client_secret_file"),
        ("connections.amdocs.identity.dsn", "stands beside dsn_file"),
        ("connections.local.database.dsn", "stands beside dsn_file"),
        ("cache.redis.url", "stands beside sentinels, who say where the master is"),
        ("cache.redis.password", "stands beside password_file"),
    ]


def test_it_matches_the_schema() -> None:
    schema = json_schema(VENDORS)
    assert faults(parse_document(TEXT).root, schema, schema) == []
    assert faults(parse_document(SWITCHED_ON).root, schema, schema) == []


def test_each_setting_has_a_word_of_explanation_above_it() -> None:
    """Only the connections after the first, which shows them all, go without."""
    lines = TEXT.splitlines()
    end = next(number for number, line in enumerate(lines) if "---- Cerillion" in line)
    start = next(number for number, line in enumerate(lines) if line == "listeners:")
    for number in (*range(end), *range(start, len(lines))):
        if re.match(r" *#?[a-z_0-9]+:", lines[number]):
            above = lines[number - 1].strip()
            assert above.startswith("#"), f"line {number + 1}"


def test_its_comments_fit_a_screen() -> None:
    assert [line for line in TEXT.splitlines() if len(line) > 100 and "# " in line[:12]] == []
