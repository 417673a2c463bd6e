"""Our own side rotates the trust bundle, and the vendor's authority is no longer in it: somebody
has cleaned up too early. The files are good, so the sidecar takes them up. Here the bundle of this
lane is replaced by one with another authority, and back again. The pod is told `tls`, and soon
`breaker_open`; with the next rotation all is well.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from adapters.outcome import Reason
from tests.chaos.fault import Fault
from tests.chaos.world import Lane


class CaRemoved(Fault):
    expects = frozenset({Reason.TLS})

    @asynccontextmanager
    async def around(self, lane: Lane) -> AsyncIterator[None]:
        folder = lane.world.folder
        async with super().around(lane):
            await lane.trust(folder / "stranger" / "ca.pem")
            try:
                yield
            finally:
                await lane.trust(folder / "ca.pem")
