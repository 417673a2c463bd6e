"""Nothing secret in the file, and nothing of the file's values in what is said about it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.problems import ConfigurationProblems
from tests.unit.config.files import GONE, changed, good, load_document, paths_of, problems_of

CANARY = "hunter2-CANARY"
AMDOCS = "connections.amdocs"
OAUTH2 = f"{AMDOCS}.oauth2"
PEM = f"-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n"

WRITTEN_OUT: list[tuple[str, object]] = [
    (f"{OAUTH2}.client_secret", CANARY),
    (f"{OAUTH2}.client_secret", 12345),
    (f"{OAUTH2}.client_secret", "$HUNTER2"),
    (f"{OAUTH2}.signing_key_file", PEM),
    (f"{OAUTH2}.password", CANARY),
    (f"{OAUTH2}.clientSecret", CANARY),
    (f"{OAUTH2}.token_url", f"https://me:{CANARY}@amdocs.example.com/token"),
    (f"{OAUTH2}.token_url", f"https://amdocs.example.com/token?client_secret={CANARY}"),
    (f"{AMDOCS}.tls.key_file", PEM),
    (f"{AMDOCS}.tls.key", PEM),
    (f"{AMDOCS}.tls.key_passphrase", CANARY),
    (f"{AMDOCS}.base_url", f"https://{CANARY}@amdocs.example.com/"),
    (f"{AMDOCS}.apis.account", f"https://me:{CANARY}@amdocs.example.com/"),
    (f"{AMDOCS}.wire.egress_proxy", f"http://me:{CANARY}@proxy.example.com:3128"),
    (f"{AMDOCS}.headers.Authorization", CANARY),
    (f"{AMDOCS}.headers.Cookie", CANARY),
    (f"{AMDOCS}.headers.X-Api-Key", CANARY),
    (f"{AMDOCS}.headers.Ocp-Apim-Subscription-Key", CANARY),
    (f"{AMDOCS}.headers.X-Auth-Token", CANARY),
    (f"{AMDOCS}.headers.CD-Password", CANARY),
    (f"{AMDOCS}.headers.CD-SessionId", CANARY),
    (f"{AMDOCS}.headers.X-Innocent", f"Bearer {CANARY}"),
    (f"{AMDOCS}.headers.X-Innocent", f"eyJhbGciOiJub25lIn0.{CANARY}"),
    ("connections.csg.identity.dsn", f"postgresql+asyncpg://me:{CANARY}@db/pedkai"),
    ("connections.local.database.dsn", f"postgresql+asyncpg://db/pedkai?password={CANARY}"),
    ("connections.local.database.dsn", f"host=db password={CANARY}"),
    ("auth.token", CANARY),
]


@pytest.mark.parametrize(("path", "value"), WRITTEN_OUT)
@pytest.mark.parametrize("lenient", [False, True], ids=["strict", "lenient"])
def test_a_secret_in_the_file_is_refused_once_at_its_path(
    path: str, value: object, *, lenient: bool
) -> None:
    (problem,) = problems_of(changed({path: value}), lenient=lenient)
    assert problem.path == path
    assert problem.what == "a secret is written into the file"
    assert problem.instead
    assert str(value) not in str(problem)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({f"{OAUTH2}.client_secret": "${S}", f"{OAUTH2}.client_secret_file": GONE}, None),
        ({f"{AMDOCS}.headers.X-Api-Key": "${S}"}, None),
        ({f"{AMDOCS}.wire.egress_proxy": "${PROXY}"}, None),
        ({"connections.local.database": {"dsn": "${DSN}"}}, None),
        ({"connections.csg.identity": {"kind": "pedkai_db", "dsn": "${DSN}"}}, None),
    ],
)
def test_a_secret_from_the_environment_is_taken_and_said_not_to_rotate(
    changes: Any, path: None
) -> None:
    env = {
        "S": CANARY,
        "DSN": f"postgresql+asyncpg://me:{CANARY}@db/pedkai",
        "PROXY": f"http://me:{CANARY}@proxy.example.com:3128",
    }
    loaded = load_document(changed(changes), env)
    (warning,) = loaded.warnings
    assert "does not rotate" in warning.what
    assert CANARY not in str(warning)
    assert CANARY not in repr(loaded)
    assert CANARY not in str(loaded.settings)


def test_the_secret_itself_is_in_the_settings() -> None:
    document = changed({f"{OAUTH2}.client_secret": "${S}", f"{OAUTH2}.client_secret_file": GONE})
    oauth2 = load_document(document, {"S": f"{CANARY}\n"}).settings.connections["amdocs"].oauth2
    assert oauth2 is not None
    assert oauth2.client_secret is not None
    assert oauth2.client_secret.get_secret_value() == CANARY


@pytest.mark.parametrize(
    "dsn",
    [
        "sqlite+aiosqlite:///pedkai.db",
        "sqlite+aiosqlite:////var/lib/pedkai.db",
        "postgresql+asyncpg://db.example.com/pedkai",
        "postgresql+asyncpg://reader@db.example.com/pedkai",
    ],
)
def test_a_database_url_without_a_password_may_be_written_out(dsn: str) -> None:
    loaded = load_document(changed({"connections.local.database": {"dsn": dsn}}))
    assert loaded.warnings == []


def test_names_that_only_sound_secret_are_no_secrets() -> None:
    document = changed(
        {
            "connections.secret": {"vendor": "mock"},
            "tenants.tokens": {"connection": "secret"},
            f"{AMDOCS}.oauth2.signing_key_id": "2026",
            f"{AMDOCS}.tmf.ticket_filter": "relatedParty.id",
            f"{AMDOCS}.oauth2.client_secret": None,
        }
    )
    assert problems_of(document) == []


@pytest.mark.parametrize(
    ("env", "words"),
    [({}, "NAME is not set"), ({"NAME": ""}, "NAME is empty"), ({"NAME": "\n"}, "NAME is empty")],
)
def test_a_variable_without_a_value_is_named(env: dict[str, str], words: str) -> None:
    document = changed({f"{OAUTH2}.client_secret": "${NAME}", f"{OAUTH2}.client_secret_file": GONE})
    (problem,) = problems_of(document, env)
    assert problem.path == f"{OAUTH2}.client_secret"
    assert words in problem.what
    assert "client_secret_file" in problem.instead


@pytest.mark.parametrize(
    "value", ["https://${HOST}/", "${HOST", "${}", "${a-b}", "${1A}", " ${HOST}", "$${HOST}"]
)
def test_a_variable_is_the_whole_of_a_value(value: str) -> None:
    document = changed({f"{AMDOCS}.base_url": value})
    assert paths_of(document, {"HOST": "a.example.com"}) == [f"{AMDOCS}.base_url"]


def test_any_plain_setting_may_come_from_the_environment() -> None:
    document = changed(
        {
            "listeners.ops": {"host": "${POD_IP}", "port": "${OPS_PORT}"},
            "deadlines.single": "${SINGLE}",
            "connections.csg.insecure": "${INSECURE}",
            "connections.amdocs.tmf": {"charged_statuses": ["${STATUS}", "active"]},
            "tenants.north.connection": "${CONNECTION}",
        }
    )
    env = {
        "POD_IP": "10.0.0.7",
        "OPS_PORT": "9000",
        "SINGLE": "300ms",
        "INSECURE": "true",
        "STATUS": "suspended",
        "CONNECTION": "amdocs",
    }
    loaded = load_document(document, env)
    settings = loaded.settings
    assert (settings.listeners.ops.host, settings.listeners.ops.port) == ("10.0.0.7", 9000)
    assert settings.deadlines.single == pytest.approx(0.3)
    assert settings.connections["csg"].insecure is True
    assert settings.connections["amdocs"].tmf.charged_statuses == ("suspended", "active")
    assert loaded.warnings == []


@pytest.mark.parametrize(
    "value", ["a\nb", "a\r\nX-Injected: b", "a\tb", "a\x7fb", "a\x85b", "\udcff"]
)
def test_control_characters_are_refused_wherever_they_come_from(value: str) -> None:
    document = changed({f"{AMDOCS}.headers.X-Channel": "${VALUE}"})
    assert paths_of(document, {"VALUE": value}) == [f"{AMDOCS}.headers.X-Channel"]
    written = changed({f"{AMDOCS}.headers.X-Channel": "MARK"})
    text = json.dumps(written).replace("MARK", "a\\nb")
    assert paths_of(text) == [f"{AMDOCS}.headers.X-Channel"]


def test_a_url_from_the_environment_may_not_carry_a_password_either() -> None:
    document = changed({f"{AMDOCS}.base_url": "${URL}"})
    (problem,) = problems_of(document, {"URL": f"https://me:{CANARY}@amdocs.example.com/"})
    assert problem.path == f"{AMDOCS}.base_url"
    assert CANARY not in str(problem)


def _leaves(here: object, path: str = "") -> Iterator[str]:
    if isinstance(here, dict):
        for key, inner in here.items():
            yield from _leaves(inner, f"{path}.{key}" if path else key)
    else:
        yield path


LEAVES = sorted(_leaves(good()))
DISGUISES = [
    CANARY,
    f"https://me:{CANARY}@a.example.com/",
    f"Bearer {CANARY}",
    f"${{{CANARY}}}",
    PEM,
    [CANARY],
    {"a": CANARY},
    f"{CANARY} with spaces",
]


@given(st.sampled_from(LEAVES), st.sampled_from(DISGUISES), st.booleans(), st.booleans())
def test_no_value_is_ever_quoted_whatever_place_it_strayed_to(
    path: str,
    value: object,
    lenient: bool,  # noqa: FBT001  (hypothesis gives it by position)
    by_environment: bool,  # noqa: FBT001  (likewise)
) -> None:
    env = {}
    if by_environment and isinstance(value, str):
        env, value = {"VALUE": value}, "${VALUE}"
    document = changed({path: value})
    told: list[object] = []
    try:
        told += load_document(document, env, lenient=lenient).warnings
    except ConfigurationProblems as found:
        told += [*found.problems, *found.warnings, found, repr(found)]
    assert CANARY not in "".join(f"{word}{word!r}" for word in told)
