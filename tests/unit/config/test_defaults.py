"""Promised defaults. A change here is a change for every operator: say so in the change log."""

import pytest
from pydantic import ValidationError

from config.settings import Connection, Database, IdentitySource, OAuth2, Redis, Settings, Tenant

DEFAULTS = Settings(schema_version=1)


def test_listeners() -> None:
    listeners = DEFAULTS.listeners
    assert (listeners.data.host, listeners.data.port) == ("127.0.0.1", 8650)
    assert (listeners.data.unix_socket, listeners.data.tls) == (None, None)
    assert (listeners.ops.host, listeners.ops.port) == ("127.0.0.1", 8651)
    assert (listeners.admin.host, listeners.admin.port) == ("127.0.0.1", 8652)
    assert (DEFAULTS.auth.token_file, DEFAULTS.auth.any_user) == (None, False)
    assert DEFAULTS.auth.former_token_serves == 60.0


def test_deadlines_stay_below_the_sla() -> None:
    assert DEFAULTS.deadlines.single == pytest.approx(0.45)
    assert DEFAULTS.deadlines.batch == pytest.approx(1.9)


def test_limits() -> None:
    assert DEFAULTS.limits.batch_ids == 200
    assert DEFAULTS.limits.request_body == 65_536
    assert DEFAULTS.limits.customers_in_flight == 10_000
    assert DEFAULTS.shutdown.grace == 5.0


def test_a_cache_is_in_memory_short_and_never_in_the_way() -> None:
    cache = DEFAULTS.cache
    assert cache.store == "memory"
    assert (cache.ttl, cache.negative_ttl, cache.staleness) == (30.0, 5.0, 0.0)
    assert cache.read_budget == pytest.approx(0.005)
    assert cache.early_refresh is True
    assert (cache.entries, cache.size) == (50_000, 32 * 1024 * 1024)
    assert cache.pending_writes == 5_000
    assert (cache.redis, cache.master_keys_file, cache.name_keys_file) == (None, None, None)
    redis = Redis(url="redis://localhost")
    assert (redis.connections, redis.connect_timeout) == (4, pytest.approx(0.2))
    assert (redis.cluster, redis.database, redis.tls) == (False, 0, None)


def test_logging() -> None:
    assert (DEFAULTS.logging.level, DEFAULTS.logging.format) == ("info", "auto")


def test_nothing_is_served_unless_it_is_named() -> None:
    assert DEFAULTS.connections == {}
    assert DEFAULTS.tenants == {}
    assert DEFAULTS.default_tenant is None


def test_a_connection() -> None:
    connection = Connection(vendor="amdocs")
    assert connection.insecure is False
    assert (connection.tls, connection.oauth2, connection.database) == (None, None, None)
    wire = connection.wire
    assert (wire.concurrency, wire.queue_length) == (32, 1000)
    assert wire.warm_connections == 4
    assert wire.connect_timeout == pytest.approx(0.3)
    assert wire.exchange_timeout == 1.0
    assert (wire.connection_age, wire.drain) == (600.0, 30.0)
    assert wire.response_body == 8 * 1024 * 1024
    assert wire.egress_proxy is None
    assert OAuth2(token_url="t", client_id="c").method == "client_secret_basic"


def test_a_guard_retries_little_and_leaves_a_dead_vendor_alone() -> None:
    guard = Connection(vendor="amdocs").guard
    retry, breaker = guard.retry, guard.breaker
    assert retry.attempts == 3
    assert (retry.budget_share, retry.budget_floor) == pytest.approx((0.2, 1.0))
    assert (retry.first_backoff, retry.longest_backoff) == pytest.approx((0.025, 0.25))
    assert (breaker.window, breaker.minimum_calls) == (10.0, 10)
    assert (breaker.failure_rate, breaker.slow_call_rate) == pytest.approx((0.5, 0.8))
    assert (breaker.slow_call, breaker.fair_chance) == pytest.approx((0.8, 0.25))
    assert (breaker.open_time, breaker.longest_open_time) == (1.0, 30.0)
    assert breaker.longest_retry_after == 300.0
    assert breaker.half_open_permits == 3
    assert (guard.adaptive_concurrency.enabled, guard.adaptive_concurrency.floor) == (True, 4)
    assert (guard.hedging.enabled, guard.hedging.budget_share) == (False, pytest.approx(0.05))


def test_identity_and_database() -> None:
    identity = IdentitySource()
    assert identity.kind == "identity"
    assert (identity.remember, identity.remember_customers) == (300.0, 100_000)
    assert (Database().currency, Database().pool) == ("GBP", 5)
    assert Tenant(connection="mock").reporting_currency == "GBP"


def test_a_profile_leaves_every_choice_to_the_adapter() -> None:
    profile = Connection(vendor="amdocs").tmf
    assert all(value is None for value in profile.model_dump().values())


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        DEFAULTS.deadlines.single = 9.0  # type: ignore[misc]  # the point of the test
