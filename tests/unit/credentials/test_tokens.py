"""Tokens over time. The clock of the event loop is moved by the test, never waited for."""

import asyncio
import itertools
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from adapters.call import Call
from adapters.outcome import LookupFailed, Reason
from config.settings import OAuth2
from proxy.credentials.renewal import LONGEST_REST_S, REST_S
from proxy.credentials.snapshot import Credentials
from proxy.credentials.token_reply import IssuedToken
from proxy.credentials.tokens import LEEWAY_S, MARGIN_S, Token, TokenEndpoint, TokenSource
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


def source_of(
    issuer: Issuer,
    tasks: Tasks,
    *,
    credentials: Credentials = CREDENTIALS,
    inherited: Token | None = None,
    kept: bool = False,
) -> TokenSource:
    return TokenSource(
        TokenEndpoint(OAUTH2, credentials, issuer),
        spawn=tasks.spawn,
        clock=lambda: NOW,
        versions=itertools.count(inherited.version + 1 if inherited else 1),
        luck=lambda: 0.0,
        inherited=inherited,
        kept=kept,
    )


@pytest.fixture
async def tokens(issuer: Issuer, tasks: Tasks) -> AsyncIterator[TokenSource]:
    source = source_of(issuer, tasks)
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
    assert (await failure_of(tokens, 0.01)).reason is Reason.AUTH
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


async def test_a_vendor_that_refuses_every_token_is_heard_once_a_second(
    tokens: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    tokens.refused((await tokens.grant(call())).version)
    second = await tokens.grant(call())
    assert second.header == "Bearer t2"
    tokens.refused(second.version)
    assert await tokens.grant(call()) is second, "it may be good for other questions"
    clock.ahead_s += REST_S
    tokens.refused(second.version)
    assert (await tokens.grant(call())).header == "Bearer t3"


async def test_a_refused_token_is_sent_again_while_no_other_can_be_had(
    tokens: TokenSource, issuer: Issuer
) -> None:
    old = await tokens.grant(call())
    issuer.fails = LookupFailed(Reason.UNREACHABLE)
    tokens.refused(old.version)
    assert await tokens.grant(call()) is old
    assert await tokens.grant(call()) is old
    assert issuer.asked == 2


async def test_who_waits_at_a_hung_issuer_for_another_than_a_refused_one_hears_of_it(
    tokens: TokenSource, issuer: Issuer
) -> None:
    old = await tokens.grant(call())
    issuer.let.clear()
    tokens.refused(old.version)
    assert "did not answer" in (await failure_of(tokens, 0.01)).detail
    issuer.let.set()


async def test_a_thousand_callers_at_the_moment_of_expiry_make_one_token_call(
    tokens: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    old = await tokens.grant(call())
    clock.ahead_s += old.ends_at - asyncio.get_running_loop().time()
    grants = await asyncio.gather(*(tokens.grant(call()) for _ in range(1000)))
    assert {grant.header for grant in grants} == {"Bearer t2"}
    assert issuer.asked == 2


async def test_a_token_in_use_is_renewed_though_nobody_asks_at_the_time(
    tokens: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    await tokens.grant(call())
    await tokens.grant(call())
    clock.ahead_s += 80
    await settle()
    assert issuer.asked == 2
    issuer.let.clear()
    assert (await tokens.grant(call())).header == "Bearer t2", "at once"


async def test_a_token_that_nobody_used_again_is_let_go(
    tokens: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    await tokens.grant(call())
    clock.ahead_s += 80
    await settle()
    assert issuer.asked == 1


async def test_a_renewal_that_failed_is_tried_again_though_nobody_asks(
    tokens: TokenSource, issuer: Issuer, clock: Clock
) -> None:
    await tokens.grant(call())
    await tokens.grant(call())
    issuer.fails = LookupFailed(Reason.UNREACHABLE)
    asked = []
    for rest in (80.0, REST_S, REST_S, REST_S):
        clock.ahead_s += rest
        await settle()
        asked.append(issuer.asked)
    assert asked == [2, 3, 3, 4], "at longer and longer intervals"
    issuer.fails = None
    clock.ahead_s += LONGEST_REST_S
    await settle()
    assert (tokens.failure, issuer.asked) == (None, 5)


async def test_an_inherited_token_serves_while_one_of_its_own_is_fetched(
    tokens: TokenSource, issuer: Issuer, tasks: Tasks
) -> None:
    old = await tokens.grant(call())
    successor = source_of(issuer, tasks, inherited=old)
    issuer.let.clear()
    assert (await successor.grant(call())).value == "t1"
    await settle()
    issuer.let.set()
    await settle()
    new = await successor.grant(call())
    assert (new.value, new.version) == ("t2", old.version + 1)
    await successor.aclose()


async def test_an_inherited_token_ends_when_it_ends(
    tokens: TokenSource, issuer: Issuer, tasks: Tasks, clock: Clock
) -> None:
    successor = source_of(issuer, tasks, inherited=await tokens.grant(call()))
    issuer.fails = LookupFailed(Reason.UNREACHABLE)
    assert (await successor.grant(call())).value == "t1"
    clock.ahead_s += 96
    assert (await failure_of(successor)).reason is Reason.AUTH
    await successor.aclose()


async def test_a_retired_source_grants_nothing_and_who_waits_hears_so(
    tokens: TokenSource, issuer: Issuer
) -> None:
    issuer.let.clear()
    waiting = asyncio.get_running_loop().create_task(failure_of(tokens))
    await settle()
    tokens.retire()
    assert (await waiting).detail == "the attempt was cut short"
    assert (await failure_of(tokens)).detail == "the credentials were replaced"
    assert issuer.asked == 1


async def test_a_token_that_comes_as_its_source_retires_is_not_sent(
    tokens: TokenSource, issuer: Issuer
) -> None:
    waiting = asyncio.get_running_loop().create_task(failure_of(tokens))
    while tokens.serving(asyncio.get_running_loop().time()) is None:  # noqa: ASYNC110
        await asyncio.sleep(0)
    tokens.retire()
    assert (await waiting).detail == "the credentials were replaced meanwhile"


async def test_a_refused_reply_is_told(tokens: TokenSource, issuer: Issuer) -> None:
    issuer.status = 500
    assert (await failure_of(tokens)).detail == "the token endpoint: HTTP 500"


async def test_credentials_without_a_secret_are_told_before_anybody_is_asked(
    issuer: Issuer, tasks: Tasks
) -> None:
    bare = Credentials(version=1, tls=CREDENTIALS.tls)
    failure = await failure_of(source_of(issuer, tasks, credentials=bare))
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


@given(st.integers(1, 366 * 86_400), st.floats(0, 1e9), st.floats(0, 1))
def test_renewal_comes_before_the_end_and_the_end_before_the_real_one(
    life_s: int, asked_at: float, luck: float
) -> None:
    token = Token.of(IssuedToken(CANARY, life_s), version=1, asked_at=asked_at, luck=luck)
    real_end = asked_at + life_s
    assert asked_at + life_s * 0.49 <= token.renew_at < token.ends_at < real_end
    assert real_end - token.renew_at <= 2 * LEEWAY_S + 1e-6
    assert real_end - token.ends_at <= MARGIN_S + 1e-6
    assert CANARY not in repr(token)
