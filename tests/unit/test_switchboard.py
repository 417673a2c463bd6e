"""What an operator wants of a breaker outlives every configuration that names its connection."""

import io

from adapters.outcome import Reason
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
    telemetry = Telemetry(Log(io.StringIO()), Metrics())
    made = Switchboard({"one": "anybody"}, Loan(Shelf()), telemetry)
    for breaker in BREAKERS:
        made.around("one", breaker).witness.exchanged(Reason.TLS, 0.1)
    figures = {
        (sample.name, sample.value)
        for family in telemetry.metrics.registry.collect()
        for sample in family.samples
        if sample.labels == {"connection": "one", "outcome": "tls"}
    }
    assert figures == {
        ("bss_sidecar_exchanges_total", 2.0),
        ("bss_sidecar_token_requests_total", 1.0),
        ("bss_sidecar_identity_requests_total", 1.0),
    }
