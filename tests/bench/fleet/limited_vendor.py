"""The vendor of the measurements, with an end to what it can do: `python -m …limited_vendor`.

As many at once as it has servers, each for as long as an answer takes; more wait their turn.
"""

import argparse
import heapq
import json
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adapters.simulator.tls import VendorTls
from tests.bench import vendor
from tests.bench.fleet.stations import Station
from tests.bench.vendor import FIGURES_PATH, TOKEN_PATH, Client, Figures, Request, Thought, Vendor


@dataclass(slots=True)
class Peaks(Figures):
    most_connections: int = 0


class LimitedVendor(Vendor):
    """Answers `per_s` at most."""

    def __init__(self, tls: VendorTls, *, latency_s: float, per_s: float) -> None:
        super().__init__(tls.context(), [Thought(latency_s)])
        servers = max(1, round(per_s * latency_s))
        self._station = Station(servers / latency_s, servers=servers)
        self._peaks = self._figures = self._answering.figures = Peaks()

    def _accept(self, door: socket.socket, thought: Thought) -> None:
        super()._accept(door, thought)
        self._peaks.most_connections = max(self._peaks.most_connections, self._peaks.connections)

    def _take(self, client: Client, request: Request) -> None:
        path = request.target.partition(b"?")[0].decode()
        if path in (TOKEN_PATH, FIGURES_PATH):
            super()._take(client, request)
            return
        self._figures.in_flight += 1
        answer = self._answering.answer(request)
        due = self._station.done_at(vendor._now())
        heapq.heappush(self._due, (due, next(self._order), client, answer))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--certificates", type=Path, required=True)
    parser.add_argument("--latency-s", type=float, required=True)
    parser.add_argument("--per-s", type=float, required=True)
    asked = parser.parse_args(arguments)
    tls = VendorTls.in_folder(asked.certificates)
    limited = LimitedVendor(tls, latency_s=asked.latency_s, per_s=asked.per_s)
    sys.stdout.write(json.dumps({"ports": limited.ports}) + "\n")
    sys.stdout.flush()
    limited.run()


if __name__ == "__main__":
    main()
