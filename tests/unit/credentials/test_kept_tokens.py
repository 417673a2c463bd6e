"""Tokens that are kept though nobody asks for them. The test moves the event loop's clock."""

import asyncio

from adapters.outcome import LookupFailed, Reason
from proxy.credentials.tokens import LOST_REST_S
from proxy.lifecycle import Tasks
from tests.unit.credentials.test_tokens import (
    Clock,
    Issuer,
    call,
    clock,
    issuer,
    settle,
    source_of,
)

__all__ = ["clock", "issuer"]  # fixtures


async def test_a_kept_token_is_renewed_once_in_its_life_though_nobody_uses_it(
    issuer: Issuer, tasks: Tasks, clock: Clock
) -> None:
    tokens = source_of(issuer, tasks, kept=True)
    await tokens.grant(call())
    for lives in range(1, 6):
        clock.ahead_s += 76
        await settle()
        assert issuer.asked == 1 + lives
    issuer.let.clear()
    assert (await tokens.grant(call())).header == "Bearer t6", "at once"
    await tokens.aclose()


async def test_a_kept_token_that_was_lost_is_tried_for_seldom_and_comes_back(
    issuer: Issuer, tasks: Tasks, clock: Clock
) -> None:
    tokens = source_of(issuer, tasks, kept=True)
    await tokens.grant(call())
    issuer.fails = LookupFailed(Reason.UNREACHABLE)
    clock.ahead_s += 96
    await settle()
    asked = issuer.asked
    for _ in range(20):
        clock.ahead_s += LOST_REST_S / 2 - 1
        await settle()
    assert issuer.asked - asked <= 10
    issuer.fails = None
    clock.ahead_s += LOST_REST_S
    await settle()
    assert tokens.serving(asyncio.get_running_loop().time()) is not None
    await tokens.aclose()


async def test_no_token_is_kept_that_nobody_ever_asked_for(
    issuer: Issuer, tasks: Tasks, clock: Clock
) -> None:
    tokens = source_of(issuer, tasks, kept=True)
    clock.ahead_s += 10_000
    await settle()
    assert issuer.asked == 0
    await tokens.aclose()
