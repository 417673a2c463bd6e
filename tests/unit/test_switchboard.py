"""What an operator wants of a breaker outlives every configuration that names its connection."""

import io

from proxy.guard.witness import Nobody
from proxy.shelf import Loan, Shelf
from proxy.switchboard import BREAKERS, Switchboard
from proxy.telemetry import Telemetry
from proxy.telemetry.log import Log
from proxy.telemetry.metrics import Metrics

TELEMETRY = Telemetry(Log(io.StringIO()), Metrics())


def board(loan: Loan, *connections: str) -> Switchboard:
    return Switchboard(dict.fromkeys(connections), loan, TELEMETRY)


async def test_a_switch_outlives_configurations_in_which_no_guard_was_made_anew() -> None:
    shelf = Shelf()
    first, second, third = Loan(shelf), Loan(shelf), Loan(shelf)
    switch = board(first, "live").around("live", "vendor").switch
    board(second, "live")  # a connection in the same words goes on as it is
    await first.give_back()
    after = board(third, "live")
    await second.give_back()
    assert after.around("live", "vendor").switch is switch


async def test_a_switch_goes_with_the_last_configuration_that_names_its_connection() -> None:
    shelf = Shelf()
    first, second = Loan(shelf), Loan(shelf)
    switch = board(first, "live").around("live", "vendor").switch
    await first.give_back()
    assert board(second, "live").around("live", "vendor").switch is not switch


def test_each_breaker_of_each_connection_has_a_switch_of_its_own() -> None:
    made = board(Loan(Shelf()), "one", "two")
    switches = {id(made.around(name, one).switch) for name in ("one", "two") for one in BREAKERS}
    assert len(switches) == 2 * len(BREAKERS)
    assert len({id(made.around("one", breaker).lag) for breaker in BREAKERS}) == 1


def test_only_exchanges_that_answer_questions_are_counted_as_the_connections() -> None:
    made = board(Loan(Shelf()), "one")
    silent = {one for one in BREAKERS if isinstance(made.around("one", one).witness, Nobody)}
    assert silent == {"token", "identity"}
