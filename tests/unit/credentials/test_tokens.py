"""Tokens over time. The clock of the event loop is moved by the test, never waited for."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.outcome import Call, LookupFailed, Reason
from config.settings import OAuth2
from proxy.credentials.renewal import REST_S
from proxy.credentials.snapshot import Credentials
from proxy.credentials.token_reply import IssuedToken
from proxy.credentials.tokens import LEEWAY_S, MARGIN_S, Token, TokenSource
from proxy.lifecycle import Tasks
from tests.unit.credentials.conftest import NOW

CANARY = "canary-4711"
OAUTH2 = OAuth2(token_url="https://issuer.test/token", client_id="c")
CREDENTIALS = Credentials(
    version=1, tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), client_secret=SecretStr(CANARY)
)


@dataclass
class Reply:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


class Issuer:
    """Gives numbered tokens of some life, when it is let."""

    def __init__(self) -> None:
        self.asked = 0
        self.life_s = 100
        self.let = asyncio.Event()
        self.let.set()
        self.fails: LookupFailed | None = None
        self.status = 200

    async def __call__(self, url: str, headers: Mapping[str, str], form: str) -> Reply:
        self.asked += 1
        number = self.asked
        await self.let.wait()
        if self.fails:
            raise self.fails
        token = {"access_token": f"t{number}", "token_type": "Bearer", "expires_in": self.life_s}
        return Reply(self.status, json.dumps(token).encode())


class Clock:
    """The event loop's clock, moved ahead by hand."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._real = loop.time
        self.ahead_s = 0.0
        loop.time = self.time  # type: ignore[method-assign]

    def time(self) -> float:
        return self._real() + self.ahead_s


@pytest.fixture
async def clock() -> Clock:
    return Clock(asyncio.get_running_loop())


@pytest.fixture
async def issuer() -> Issuer:
    return Issuer()


@pytest.fixture
async def tokens(issuer: Issuer, tasks: Tasks) -> AsyncIterator[TokenSource]:
    source = TokenSource(OAUTH2, CREDENTIALS, issuer, spawn=tasks.spawn)
    yield source
    await source.aclose()


def call(budget_s: float = 30.0) -> Call:
    return Call(deadline=asyncio.get_running_loop().time() + budget_s, asked_at=NOW)


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def failure_of(tokens: TokenSource, budget_s: float = 30.0) -> LookupFailed:
    with pytest.raises(LookupFailed) as failed:
        await tokens.grant(call(budget_s))
    return failed.value


async def test_twenty_callers_make_one_token_call(tokens: TokenSource, issuer: Issuer) -> None:
    grants = await asyncio.gather(*(tokens.grant(call()) for _ in range(20)))
    assert {grant.header for grant in grants} == {"Bearer t1"}
    assert issuer.asked == 1


async def test_a_token_serves_until_it_is_renewed(
    tokens: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    await tokens.grant(call())
    clock.ahead_s += 70
    assert (await tokens.grant(call())).header == "Bearer t1"
    assert issuer.asked == 1


async def test_a_token_near_its_end_serves_while_a_new_one_is_fetched(
    tokens: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    await tokens.grant(call())
    clock.ahead_s += 80
    issuer.let.clear()
    assert (await tokens.grant(call())).header == "Bearer t1"
    await settle()
    issuer.let.set()
    await settle()
    assert (await tokens.grant(call())).header == "Bearer t2"


async def test_while_the_issuer_is_down_a_token_serves_to_its_end_and_not_beyond(
    tokens: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    await tokens.grant(call())
    issuer.fails = LookupFailed(Reason.UNREACHABLE, "x")
    clock.ahead_s += 94
    assert (await tokens.grant(call())).header == "Bearer t1"
    await settle()
    clock.ahead_s += 2
    failure = await failure_of(tokens)
    assert failure.reason is Reason.AUTH
    assert "unreachable" in failure.detail
    assert tokens.failure is not None


async def test_a_dead_issuer_is_asked_once_a_second(
    tokens: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    issuer.fails = LookupFailed(Reason.TLS)
    for _ in range(5):
        assert (await failure_of(tokens)).reason is Reason.AUTH
    assert issuer.asked == 1
    clock.ahead_s += REST_S
    issuer.fails = None
    assert (await tokens.grant(call())).header == "Bearer t2"


async def test_an_issuer_that_hangs_costs_each_caller_its_own_budget(
    tokens: TokenSource, issuer: Issuer
) -> None:
    issuer.let.clear()
    assert (await failure_of(tokens, 0.01)).reason is Reason.DEADLINE
    issuer.let.set()
    assert (await tokens.grant(call())).header == "Bearer t1"
    assert issuer.asked == 1


async def test_ten_refusals_of_one_version_cause_one_fetch(
    tokens: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    old = await tokens.grant(call())
    clock.ahead_s += 10
    for _ in range(10):
        tokens.refused(old.version)
    new = await tokens.grant(call())
    tokens.refused(old.version)
    assert (await tokens.grant(call())) is new
    assert issuer.asked == 2


async def test_tokens_that_are_refused_as_soon_as_issued_are_fetched_once_a_second(
    tokens: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    tokens.refused((await tokens.grant(call())).version)
    failure = await failure_of(tokens)
    assert (failure.reason, issuer.asked) == (Reason.AUTH, 1)
    assert "just issued" in failure.detail
    clock.ahead_s += REST_S
    assert (await tokens.grant(call())).header == "Bearer t2"


async def test_a_refused_reply_is_told(tokens: TokenSource, issuer: Issuer) -> None:
    issuer.status = 500
    assert (await failure_of(tokens)).detail == "the token endpoint: HTTP 500"


async def test_credentials_without_a_secret_are_told_before_anybody_is_asked(
    issuer: Issuer, tasks: Tasks
) -> None:
    bare = Credentials(version=1, tls=CREDENTIALS.tls)
    failure = await failure_of(TokenSource(OAUTH2, bare, issuer, spawn=tasks.spawn))
    assert (failure.reason, issuer.asked) == (Reason.AUTH, 0)
    assert failure.detail == "client_secret_basic needs a client secret"


async def test_a_token_that_ends_on_its_way_to_us_is_not_sent(
    tokens: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    issuer.let.clear()
    waiting = asyncio.get_running_loop().create_task(failure_of(tokens, 10_000))
    await settle()
    clock.ahead_s += 200
    issuer.let.set()
    assert (await waiting).detail == "the token ended before it could be sent"


@given(st.integers(1, 366 * 86_400), st.floats(0, 1e9))
def test_renewal_comes_before_the_end_and_the_end_before_the_real_one(
    life_s: int, asked_at: float
) -> None:
    token = Token.of(IssuedToken(CANARY, life_s), version=1, asked_at=asked_at)
    real_end = asked_at + life_s
    assert asked_at + life_s * 0.7 <= token.renew_at < token.ends_at < real_end
    assert real_end - token.renew_at <= LEEWAY_S + 1e-6
    assert real_end - token.ends_at <= MARGIN_S + 1e-6
    assert CANARY not in repr(token)
