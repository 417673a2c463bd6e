"""What the guards of all connections have around them: an operator's switches, meters, a clock."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from proxy.guard.breaker import Breaker, BreakerStatus
from proxy.guard.guard import Surroundings
from proxy.guard.lag import LoopLag
from proxy.guard.rest import Rest
from proxy.guard.switch import Switch
from proxy.guard.witness import Witness
from proxy.reporting import breaker_record
from proxy.shelf import Loan
from proxy.telemetry import Telemetry
from proxy.telemetry.records import BreakerRecord, BreakerState
from proxy.telemetry.requests import RequestMeter

BREAKERS = ("vendor", "token", "identity", "database")
"""All that a connection may have."""
ANSWERS = frozenset({"vendor", "database"})
"""Those of them whose exchanges are the connection's."""


class Switchboard:
    """Of one configuration.

    Switches are taken from the shelf by the names of connection and breaker alone, whether or not
    a guard is made: what an operator wants outlives every change of a connection's settings. What
    a vendor wants outlives all but a change of its address.
    """

    def __init__(self, connections: Mapping[str, object], loan: Loan, telemetry: Telemetry) -> None:
        """`connections`: whom each of them asks, in any words that change with its address."""
        self.lag = loan.take("lag of the event loop", LoopLag)
        names = tuple(connections)
        self._switches = {
            (name, breaker): loan.take(("switch", name, breaker), Switch)
            for name in names
            for breaker in BREAKERS
        }
        self._rests = {
            (name, breaker): loan.take(("rest", name, breaker, whom), Rest)
            for name, whom in connections.items()
            for breaker in BREAKERS
        }
        self._requests = telemetry.metrics.requests
        self._meters = {
            name: loan.take(("meter", name), partial(telemetry.meter, name)) for name in names
        }

    def around(self, connection: str, breaker: str) -> Surroundings:
        """What is around a guard, by the names of its connection and of its breaker."""
        around = Surroundings(
            switch=self._switches[connection, breaker],
            rest=self._rests[connection, breaker],
            lag=self.lag,
        )
        return replace(around, witness=self._witness(connection, breaker))

    def _witness(self, connection: str, breaker: str) -> Witness:
        if breaker in ANSWERS:
            return self._meters[connection]
        requests = self._requests
        counter = requests.tokens if breaker == "token" else requests.identity
        return RequestMeter(counter, connection)

    def watch(self, connection: str, breaker: Breaker) -> None:
        """Whatever becomes of a breaker is told from now on: first, that it is made.

        An earlier one of that name may have been open. What an operator wants goes on as it was.
        """
        meter, name = self._meters[connection], str(breaker.name)
        if self._switches[connection, name].forced is None:
            meter.breaker_changed(
                BreakerRecord(connection=connection, name=name, state=BreakerState.CLOSED)
            )

        def tell(status: BreakerStatus) -> None:
            meter.breaker_changed(breaker_record(connection, status))

        breaker.on_change(tell)
