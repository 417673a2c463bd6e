"""Each rule twice: with the mistake, told at its path; and mended, accepted."""

from typing import Any

import pytest

from tests.unit.config.cache_mistakes import AT, CACHE_MISTAKES, REDIS, SENTINELS
from tests.unit.config.files import GONE, changed, good, load_document, paths_of, problems_of
from tests.unit.config.mistakes import AMDOCS, CSG, ENV, GUARD, LOCAL, MISTAKES, Changes

ALL = MISTAKES + CACHE_MISTAKES


def _titles() -> list[str]:
    return [f"{number}-{path}" for number, (path, _, _) in enumerate(ALL)]


@pytest.mark.parametrize(("path", "mistake", "_"), ALL, ids=_titles())
def test_a_mistake_is_told_once_at_its_path(path: str, mistake: Changes, _: Changes) -> None:
    assert paths_of(changed(mistake), ENV) == [path]


@pytest.mark.parametrize(("path", "_", "remedy"), ALL, ids=_titles())
def test_the_same_setting_without_the_mistake_is_accepted(
    path: str, _: Changes, remedy: Changes
) -> None:
    assert problems_of(changed(remedy), ENV) == []


def test_the_good_document_is_good_and_warns_of_nothing() -> None:
    assert load_document(good()).warnings == []


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"tenants.south": GONE}, CSG),
        ({f"{CSG}.database": {"dsn_file": "/run/dsn"}}, f"{CSG}.database"),
        ({f"{LOCAL}.base_url": "https://a.example.com/"}, f"{LOCAL}.base_url"),
        ({"connections.mock.tmf": {"version": "v5"}}, "connections.mock.tmf"),
        ({f"{AMDOCS}.oauth2.audience": "https://a.example.com/"}, f"{AMDOCS}.oauth2.audience"),
        ({f"{AMDOCS}.identity": GONE}, f"{AMDOCS}.identity"),
        ({f"{AMDOCS}.identity": {"remember": "1m"}}, f"{AMDOCS}.identity"),
        ({f"{AMDOCS}.identity.file": "/run/map.csv"}, f"{AMDOCS}.identity.file"),
        ({"listeners.data.unix_socket": "/run/data.sock"}, "listeners.data.port"),
        ({"connections.mock.guard": {"retry": {"attempts": 1}}}, "connections.mock.guard"),
        ({f"{GUARD}.breaker.slow_call": "1s"}, f"{GUARD}.breaker.slow_call"),
        ({f"{GUARD}.breaker.fair_chance": "450ms"}, f"{GUARD}.breaker.fair_chance"),
        ({"deadlines.single": "600ms"}, "deadlines.single"),
        ({"deadlines.batch": "2100ms"}, "deadlines.batch"),
        ({"tenants.north.reporting_currency": "GPB"}, "tenants.north.reporting_currency"),
        ({f"{LOCAL}.database.currency": "UKP"}, f"{LOCAL}.database.currency"),
        ({"cache.read_budget": "60ms"}, "cache.read_budget"),
        ({"cache.redis": {"url": "redis://localhost"}}, "cache.redis"),
        ({"cache.master_keys_file": "/run/master"}, "cache.master_keys_file"),
        ({"cache": REDIS, f"{AT}.database": 3}, f"{AT}.database"),
        ({"cache": REDIS, f"{AT}.sentinel_service": "mymaster"}, f"{AT}.sentinel_service"),
        (
            {
                "cache": REDIS,
                f"{AT}.url": "redis://redis.example.com",
                f"{AT}.password_file": "/run/password",
            },
            f"{AT}.password_file",
        ),
        (
            {"cache": {**REDIS, "redis": {**SENTINELS, "password_file": "/run/password"}}},
            f"{AT}.password_file",
        ),
    ],
)
def test_what_is_odd_but_harmless_is_a_warning(changes: Any, path: str) -> None:
    assert [warning.path for warning in load_document(changed(changes)).warnings] == [path]


@pytest.mark.parametrize("identity", [{"kind": "file", "file": "/run/a"}, {"kind": "identity"}])
def test_whoever_says_where_the_vendors_ids_come_from_is_not_warned(identity: Any) -> None:
    assert load_document(changed({f"{AMDOCS}.identity": identity})).warnings == []


def test_a_vendor_that_is_asked_for_no_id_needs_no_map() -> None:
    document = {
        "schema_version": 1,
        "connections": {"mock": {"vendor": "mock"}},
        "tenants": {"west": {"connection": "mock"}},
    }
    assert load_document(document).warnings == []


def test_a_short_deadline_hides_a_hanging_vendor_from_every_breaker_that_asks_somebody() -> None:
    warnings = load_document(changed({"deadlines.single": "200ms"})).warnings
    assert [warning.path for warning in warnings] == [
        f"{name}.guard.breaker.fair_chance" for name in (AMDOCS, CSG, LOCAL)
    ]


def test_a_database_has_no_exchange_timeout_that_hides_slowness() -> None:
    assert load_document(changed({f"{LOCAL}.guard.breaker.slow_call": "2s"})).warnings == []


def test_a_floor_that_nobody_chose_yields_to_a_small_concurrency() -> None:
    changes = {f"{AMDOCS}.wire.concurrency": 1, f"{AMDOCS}.guard": {"hedging": {"enabled": True}}}
    assert problems_of(changed(changes)) == []


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:6379", "unix:///run/redis.sock", "rediss://redis.example.com"]
)
def test_a_password_that_crosses_no_network_in_the_open_is_fine(url: str) -> None:
    changes = {"cache": REDIS, f"{AT}.url": url, f"{AT}.password_file": "/run/password"}
    assert load_document(changed(changes)).warnings == []


def test_nobody_to_serve_is_a_warning() -> None:
    warnings = load_document({"schema_version": 1}).warnings
    assert [warning.path for warning in warnings] == ["tenants"]


def test_a_reference_to_nothing_names_what_there_is_and_what_was_meant() -> None:
    (problem,) = problems_of(changed({"tenants.north.connection": "amdox"}))
    assert "amdocs, csg, local, mock" in problem.instead
    assert "did you mean amdocs?" in problem.instead


def test_a_currency_misspelt_is_guessed() -> None:
    (warning,) = load_document(changed({"tenants.north.reporting_currency": "GPB"})).warnings
    assert "did you mean GBP?" in warning.instead


@pytest.mark.parametrize(
    "host",
    [
        "127.1",
        "0",
        "2130706433",
        "0x7f.1",
        "127.0.0.1.example.com",
        "localhost.example.com",
        "[::]",
    ],
)
def test_only_plain_loopback_addresses_may_be_insecure(host: str) -> None:
    assert paths_of(changed({f"{CSG}.base_url": f"http://{host}:9443/"})) == [f"{CSG}.insecure"]


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "localhost", "LOCALHOST", "[::1]"])
def test_every_loopback_address_may_be_insecure(host: str) -> None:
    assert paths_of(changed({f"{CSG}.base_url": f"http://{host}:9443/"})) == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example.com/",
        "https://",
        "https:///path",
        "https://a b/",
        "https://a.example.com:port/",
        "https://a.example.com:0/",
        "https://a.example.com\\@b.example.com/",
        "https://[::1/",
        "//a.example.com/",
    ],
)
def test_what_is_not_the_url_of_a_server_is_refused(url: str) -> None:
    assert paths_of(changed({f"{AMDOCS}.base_url": url})) == [f"{AMDOCS}.base_url"]


def test_a_rule_says_nothing_about_a_setting_that_did_not_parse() -> None:
    """A secret that was refused is not missing; a vendor unknown needs no URL."""
    document = changed(
        {
            f"{AMDOCS}.oauth2.client_secret_file": 7,
            f"{CSG}.vendor": 5,
            f"{CSG}.base_url": GONE,
            "tenants.east.connection": ["local"],
        }
    )
    assert paths_of(document) == [
        f"{AMDOCS}.oauth2.client_secret_file",
        f"{CSG}.vendor",
        "tenants.east.connection",
    ]


def test_the_rules_look_at_the_good_part_of_a_group_whose_other_part_is_bad() -> None:
    document = changed(
        {
            f"{AMDOCS}.wire.concurrency": "many",
            f"{AMDOCS}.base_url": "http://amdocs.example.com/",
            f"{AMDOCS}.oauth2.client_id": GONE,
            f"{AMDOCS}.oauth2.token_url": "http://amdocs.example.com/token",
        }
    )
    assert set(paths_of(document)) == {
        f"{AMDOCS}.wire.concurrency",
        f"{AMDOCS}.base_url",
        f"{AMDOCS}.oauth2.client_id",
        f"{AMDOCS}.oauth2.token_url",
    }
