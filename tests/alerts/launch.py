"""The sidecar as it is, with a wrong clock and an adapter that has a mistake.

`python -m tests.alerts.launch FOLDER serve …`: `FOLDER/clock` says by how many seconds the wall
clock is wrong, and the adapter `mock` raises what no adapter should.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from uuid import UUID

from adapters import lookup, registry
from adapters.mock_adapter import MockBSSAdapter
from adapters.registry import Vendor
from proxy.cli import main
from tests.chaos.launch import wrong_clock


class Mistaken(MockBSSAdapter):
    async def _be_asked(self, customer_ids: Sequence[UUID]) -> None:
        raise ZeroDivisionError


if __name__ == "__main__":
    folder, *arguments = sys.argv[1:]
    lookup.datetime = wrong_clock(Path(folder))  # type: ignore[attr-defined]  # `wall_clock` looks
    registry.VENDORS["mock"] = Vendor(Mistaken.from_ports, "none")  # type: ignore[index]  # a dict
    sys.exit(main(arguments))
