"""Redis moves under load: a Sentinel makes a replica the master; a node of a Cluster dies."""

import asyncio

import pytest

from tests.integration.loading import FULL, Load, assert_in_budget, tell, under_load
from tests.servers.fleet import fleet
from tests.servers.patience import TooLate, patiently

BUDGET_S = 0.005
SIDECARS = 2 if FULL else 1

pytestmark = pytest.mark.asyncio(loop_scope="session")


@patiently
async def test_nobody_fails_while_a_sentinel_makes_another_redis_the_master(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("sentinel")
    async with fleet(folder, redis="sentinel_tls", size=SIDECARS) as made, under_load(made) as load:
        await load.until_shared()
        well = await load.for_a_while("well")
        master, replica, _ = made.kind.servers
        await asyncio.to_thread(master.kill)
        ill = await load.for_a_while("failing over")
        healed_s = await load.until_shared()
        again = await load.for_a_while("well again")
        assert replica.tell("ROLE")[0] == b"master"
        tell(
            f"Sentinel: used again {healed_s:.1f} s after that\n"
            f"  well: {well.text()}\n  ill:  {ill.text()}\n  well: {again.text()}"
        )
    assert again.hits()
    assert_in_budget(ill, well, BUDGET_S)
    if healed_s > 8:
        raise TooLate(f"used again after {healed_s:.1f} s")


@patiently
async def test_nobody_fails_while_a_node_of_a_cluster_is_dead(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    folder = tmp_path_factory.mktemp("cluster")
    async with fleet(folder, redis="cluster_tls", size=SIDECARS) as made, under_load(made) as load:
        await load.until_shared()
        well = await load.for_a_while("well")
        await asyncio.to_thread(made.kind.servers[1].kill)
        ill = await load.for_a_while("without a node")
        in_part = await partly_used(load)
        await asyncio.to_thread(made.kind.servers[1].start)
        healed_s = await load.until_shared()
        again = await load.for_a_while("well again")
        tell(
            f"Cluster: {in_part} hits without a node; used again {healed_s:.1f} s after it was "
            f"back\n  well: {well.text()}\n  ill:  {ill.text()}\n  well: {again.text()}"
        )
    assert again.hits()
    assert_in_budget(ill, well, BUDGET_S)
    if healed_s > 8:
        raise TooLate(f"used again after {healed_s:.1f} s")


async def partly_used(load: Load) -> int:
    """The nodes that are left answer: soon there are hits again, and never wrong ones."""
    async with asyncio.timeout(20):
        while not (hits := (await load.for_a_while(f"in part, {len(load.told)}", 0.1)).hits()):
            pass
    return hits
