"""What is true of the numbered customers that the demonstration and the simulators share."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from adapters.simulator.population import charges, truth
from tests.contract.subject import Customer, numbered

COUNT = 200


def customers_of(tenant: str, plan_name: Callable[[int], str | None]) -> Sequence[Customer]:
    """The first customers of a tenant, whose plans `plan_name` knows by their number."""
    return [_customer(tenant, number, plan_name(number)) for number in range(COUNT)]


def _customer(tenant: str, number: int, plan_name: str | None) -> Customer:
    # When they are asked makes no difference to the truth: its dates are counted back from it.
    true = truth(tenant, number, datetime(2026, 1, 31, tzinfo=UTC))
    return Customer(
        numbered(tenant, number),
        known=true.known,
        fee=true.monthly_fee,
        plan_name=plan_name,
        yearly=number % 10 == 7,
        products=len(charges(tenant, number)),
        disputes=true.disputed,
        disputed_long_ago=number % 50 == 25,
    )
