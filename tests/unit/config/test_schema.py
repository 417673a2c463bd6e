"""The JSON Schema says of a file what the loader says, as far as a schema can."""

import json
from typing import Any

import pytest

from config.schema import json_schema
from config.units import DURATION, SIZE
from tests.unit.config.files import VENDORS, changed, good, problems_of
from tests.unit.config.schema_rules import faults

SCHEMA = json_schema(VENDORS)


def faults_of(document: Any) -> list[str]:
    return [at.removeprefix(".") for at in faults(document, SCHEMA, SCHEMA)]


def test_the_good_document_matches() -> None:
    assert faults_of(good()) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("schema_version", 2),
        ("connections.amdocs.vendor", "amdoc"),
        ("connections.amdocs.oauth2.client_secret", "hunter2"),
        ("connections.amdocs.oauth2.method", "password"),
        ("connections.amdocs.wire.exchange_timeout", 3),
        ("connections.amdocs.wire.exchange_timeout", "3"),
        ("connections.amdocs.wire.response_body", "8MB"),
        ("connections.amdocs.wire.concurrency", 0),
        ("connections.amdocs.apis", {"acount": "https://a.example.com/"}),
        ("connections.amdocs.tls.key_file", ""),
        ("connections.local.database.dsn", "postgresql+asyncpg://me:hunter2@db/pedkai"),
        ("connections.Amdocs", {"vendor": "mock"}),
        ("tenants.no", {"connection": "mock"}),
        ("tenants.north.reporting_currency", "gbp"),
        ("tenants.north.colour", "blue"),
        ("listeners.ops.port", 70_000),
        ("default_tennant", "north"),
    ],
)
def test_what_the_schema_refuses_the_loader_refuses_too(path: str, value: object) -> None:
    document = changed({path: value})
    assert any(at.startswith(path) for at in faults_of(document))
    assert any(problem.path.startswith(path) for problem in problems_of(document))


@pytest.mark.parametrize(
    "path",
    [
        "connections.amdocs.oauth2.client_secret",
        "connections.amdocs.oauth2.method",
        "connections.amdocs.wire.exchange_timeout",
        "connections.amdocs.wire.concurrency",
        "connections.amdocs.insecure",
        "connections.local.database.dsn",
        "listeners.ops.host",
        "listeners.ops.port",
        "tenants.north.reporting_currency",
        "default_tenant",
    ],
)
def test_a_variable_is_allowed_where_a_plain_value_is(path: str) -> None:
    assert faults_of(changed({path: "${NAME}"})) == []


def test_every_setting_is_described() -> None:
    groups = {name: group for name, group in SCHEMA["$defs"].items() if "properties" in group}
    assert len(groups) > 10
    for name, group in {**groups, "Settings": SCHEMA}.items():
        assert group["description"], name
        for key, setting in group["properties"].items():
            refers = "$ref" in setting or any("$ref" in one for one in setting.get("anyOf", ()))
            assert setting.get("description") or refers, f"{name}.{key}"


def test_defaults_are_written_as_a_file_would_have_them() -> None:
    wire = SCHEMA["$defs"]["Wire"]["properties"]
    assert wire["exchange_timeout"]["default"] == "1s"
    assert wire["connect_timeout"]["default"] == "300ms"
    assert wire["response_body"]["default"] == "8MiB"
    assert wire["concurrency"]["default"] == 32


def test_units_have_their_patterns_and_vendors_are_listed() -> None:
    text = json.dumps(SCHEMA)
    assert json.dumps(DURATION) in text
    assert json.dumps(SIZE) in text
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert SCHEMA["$defs"]["Connection"]["properties"]["vendor"]["anyOf"][0]["enum"] == sorted(
        VENDORS
    )
