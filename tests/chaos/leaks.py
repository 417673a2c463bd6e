"""What the sidecar holds when nobody asks, before and after."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from tests.chaos.sidecar import Census
from tests.chaos.world import World

A_LITTLE_BYTES = 16 * 1024 * 1024
"""What an allocator keeps for itself, or one half of the time may take more than the other."""
_STEADY = 8
_PAUSE_S = 0.25
_LONGEST_S = 45.0


@dataclass(frozen=True, slots=True)
class Balance:
    before: Census
    after: Census
    under_load: Sequence[int] = ()
    """Resident bytes between the two, every now and then."""

    @property
    def more_tasks(self) -> Counter[str]:
        return Counter(self.after.tasks) - Counter(self.before.tasks)

    @property
    def more_bytes(self) -> int:
        return self.after.resident_bytes - self.before.resident_bytes

    @property
    def halves(self) -> tuple[float, float]:
        """Resident bytes under load, in the median of the first half of the time and the second."""
        middle = len(self.under_load) // 2
        if not middle:
            return 0.0, 0.0
        return median(self.under_load[:middle]), median(self.under_load[middle:])

    def problems(self) -> list[str]:
        found = []
        first, second = self.halves
        if second - first > A_LITTLE_BYTES:
            found.append(f"memory goes on growing under load: {(second - first) / 1e6:.0f} MB more")
        if self.more_tasks:
            found.append(f"tasks are left behind: {dict(self.more_tasks)}")
        if self.after.files > self.before.files:
            found.append(f"{self.after.files - self.before.files} open files are left behind")
        if self.more_bytes > A_LITTLE_BYTES:
            found.append(f"{self.more_bytes / 1e6:.0f} MB more memory are held")
        return found


async def at_rest(world: World) -> Census:
    """When nothing changes any more: no question is under way, and every idle socket is gone.

    How many connections are kept idle is a matter of chance, so all of them are cut.
    """
    clock = asyncio.get_running_loop().time
    await world.hang_up()
    ends = clock() + _LONGEST_S
    seen: list[tuple[object, int]] = []
    while True:
        for lane in world.lanes.values():
            for relay in (lane.relay, lane.token_relay, lane.identity_relay):
                if relay is not None:
                    relay.reset_all()
        census = await world.sidecar.census()
        seen.append((census.tasks, census.files))
        if len(seen) >= _STEADY and all(one == seen[-1] for one in seen[-_STEADY:]):
            return census
        if clock() > ends:
            return census  # the comparison tells
        await asyncio.sleep(_PAUSE_S)
