"""Faults of certificates, as the vendor shows them and as it takes ours."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import ClassVar

from adapters.outcome import Reason
from adapters.simulator.tls import VendorTls
from tests.chaos.fault import Fault
from tests.chaos.world import Lane


class Presenting(Fault):
    """The vendor shows another certificate, or lets in the clients of another authority.

    A connection keeps what its handshake agreed upon, so whoever is connected is cut off.
    """

    expects = frozenset({Reason.TLS})
    leaf: ClassVar[str] = "server"
    """One of those that `making` writes."""
    clients_of: ClassVar[str] = "."
    """Folder of the authority whose clients are let in."""

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        folder = lane.world.folder
        async with super().around(lane):
            await lane.vendor.present(
                VendorTls(
                    folder / f"{self.leaf}.pem",
                    folder / f"{self.leaf}.key",
                    folder / self.clients_of / "ca.pem",
                )
            )
            lane.vendor.drop_connections()
            try:
                yield
            finally:
                await lane.vendor.present(VendorTls.in_folder(folder))
