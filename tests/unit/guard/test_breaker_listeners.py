"""Who is told, and what of pybreaker the breaker stands on."""

import asyncio
import importlib.metadata
import inspect
import re
from pathlib import Path
from typing import Any

import pybreaker
import pytest

from proxy.guard.breaker import BreakerStatus
from proxy.guard.breaker_states import Closed, ForcedClosed, ForcedOpen, HalfOpen, Open
from tests.unit.guard.breaking import Bench

PROJECT = Path(__file__).parents[3]


async def told(bench: Bench) -> list[BreakerStatus]:
    heard: list[BreakerStatus] = []
    bench.breaker.on_change(heard.append)
    return heard


async def test_each_change_is_told_with_the_status_it_led_to() -> None:
    bench = Bench(minimum_calls=10, open_time="1s")
    heard = await told(bench)
    bench.half_opened().fail()
    bench.wait(2.0)
    bench.succeed()
    await asyncio.sleep(0)
    states = ["open", "half_open", "open", "half_open", "closed"]
    assert [status.state for status in heard] == states
    assert [status.opened_times for status in heard] == [1, 1, 2, 2, 2]
    assert heard[0].opens_for_s == pytest.approx(1.0)
    assert heard[2].opens_for_s == pytest.approx(2.0)
    assert heard[2].because == "unreachable: a probe failed (no connection)"


async def test_an_operators_force_is_told_once() -> None:
    bench = Bench()
    heard = await told(bench)
    for forced in ("open", "open", "closed", None):
        bench.breaker.force(forced)  # type: ignore[arg-type]  # literals in a loop
        bench.refusal()
    await asyncio.sleep(0)
    assert [status.state for status in heard] == ["forced_open", "forced_closed", "closed"]


async def test_what_a_listener_raises_reaches_nobody_who_asks_and_is_not_lost() -> None:
    lost: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, said: lost.append(said))
    bench = Bench()
    heard = await told(bench)
    bench.breaker.on_change(lambda _status: 1 / 0)
    heard_later = await told(bench)
    bench.opened()
    await asyncio.sleep(0)
    assert [type(said["exception"]) for said in lost] == [ZeroDivisionError]
    assert len(heard) == len(heard_later) == 1


async def test_a_listener_may_force_the_breaker_it_listens_to() -> None:
    bench = Bench()
    bench.breaker.on_change(lambda status: None if status.forced else bench.breaker.force("closed"))
    bench.opened()
    await asyncio.sleep(0)
    assert bench.breaker.state_now() == "forced_closed"


def test_pybreaker_is_pinned_to_the_version_whose_hooks_were_read() -> None:
    pinned = re.search(r'"pybreaker==([^"]+)"', (PROJECT / "pyproject.toml").read_text())
    assert pinned is not None
    assert pinned[1] == importlib.metadata.version("pybreaker") == "1.4.1"


def test_pybreaker_still_makes_states_through_the_hook() -> None:
    hook = inspect.signature(pybreaker.CircuitBreaker._create_new_state)
    assert list(hook.parameters) == ["self", "new_state", "prev_state", "notify"]
    bench = Bench()
    kinds = [type(bench.breaker.state)]
    for change in (bench.breaker.open, bench.breaker.half_open, bench.breaker.close):
        change()
        kinds.append(type(bench.breaker.state))
    assert kinds == [Closed, Open, HalfOpen, Closed]


def test_its_storage_and_its_states_are_pybreakers() -> None:
    bench = Bench()
    names = []
    for do in (bench.opened, bench.half_opened, bench.breaker.permit):
        do()
        names.append(bench.breaker.current_state)
        assert bench.breaker.state.name == bench.breaker.current_state
    bench.breaker.force("open")
    names.append(bench.breaker.current_state)
    assert names == ["open", "open", "half-open", "forced_open"]
    assert issubclass(ForcedOpen, pybreaker.CircuitOpenState)
    assert issubclass(ForcedClosed, pybreaker.CircuitClosedState)


def test_pybreakers_own_way_of_asking_is_closed() -> None:
    """It would count a coroutine function that only made its coroutine as a success."""
    breaker = Bench().breaker
    for ask in (lambda: breaker.call(print), breaker(print)):
        with pytest.raises(TypeError):
            ask()
    with pytest.raises(TypeError), breaker.calling():
        pass
