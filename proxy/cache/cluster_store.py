"""A Redis Cluster: redis-py knows its nodes, and each is asked for what is its own, in parallel."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from redis import exceptions
from redis.asyncio import RedisCluster
from redis.asyncio.cluster import ClusterNode, PipelineCommand
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.maint_notifications import MaintNotificationsConfig

from config import settings
from proxy.cache.redis_client import (
    Address,
    ClusterConnection,
    ClusterTlsConnection,
    Login,
    connection_arguments,
    tls_arguments,
)
from proxy.cache.redis_facts import persistence_of, together
from proxy.cache.redis_store import TIMEOUT_S, Command, RedisStore, raise_first
from proxy.cache.store import Persistence

LOOK_AGAIN_S = 1.0
"""So often at most it is asked anew which node has which names, while something is amiss."""
_AMISS = (
    exceptions.ConnectionError,
    exceptions.TimeoutError,
    exceptions.AskError,  # `MovedError` is one
    exceptions.ClusterDownError,
    exceptions.ReadOnlyError,
)


class _Sent(NamedTuple):
    place: int
    command: PipelineCommand


class ClusterWire:
    """One pipeline for each node.

    Nothing follows a redirection: whoever gets one looks again which node has what, and until then
    what has moved is not there.
    """

    keeps_order = False

    def __init__(self, client: RedisCluster) -> None:
        self._client = client
        self._nodes = client.nodes_manager
        self._looking: asyncio.Task[None] | None = None
        self._looked_at = float("-inf")

    async def get_many(self, names: Sequence[bytes]) -> object:
        """Of a node that is gone nothing is there, while others answer."""
        replies = await self.send(self.questions(names))
        if all(isinstance(reply, _AMISS) for reply in replies):
            raise_first(replies)
        return replies

    async def send(self, commands: Sequence[Command]) -> Sequence[object]:
        """Replies may be exceptions; `command[1]` is a name."""
        if not self._nodes.slots_cache:
            await self._look()
        replies: list[object] = [exceptions.ClusterDownError("no node")] * len(commands)
        async with asyncio.TaskGroup() as trips:
            for node, sent in self._by_node(commands).items():
                trips.create_task(_send(node, sent, replies))
        if any(isinstance(reply, _AMISS) for reply in replies):
            self._look_again()
        return replies

    def questions(self, names: Sequence[bytes]) -> Sequence[Command]:
        return [("GET", name) for name in names]

    def removals(self, names: Sequence[bytes]) -> Sequence[Command]:
        return [("DEL", name) for name in names]

    async def persistence(self) -> Persistence:
        if not self._nodes.slots_cache:
            await self._look()
        nodes = self._client.get_primaries()
        return together([await persistence_of(node.execute_command) for node in nodes])

    async def aclose(self) -> None:
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
        try:
            await self._nodes.aclose()
        finally:
            await self._nodes.aclose("startup_nodes")

    def _by_node(self, commands: Sequence[Command]) -> Mapping[ClusterNode, list[_Sent]]:
        by_node: dict[ClusterNode, list[_Sent]] = defaultdict(list)
        for place, command in enumerate(commands):
            slot = self._client.keyslot(command[1])
            if nodes := self._nodes.slots_cache.get(slot):
                by_node[nodes[0]].append(_Sent(place, PipelineCommand(place, *command)))
        return by_node

    async def _look(self) -> None:
        """Those who look at the same moment look once."""
        if self._looking is None or self._looking.done():
            self._looked_at = asyncio.get_running_loop().time()
            self._looking = asyncio.get_running_loop().create_task(self._nodes.initialize())
            self._looking.add_done_callback(_is_told_later)
        await asyncio.shield(self._looking)

    def _look_again(self) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() - self._looked_at >= LOOK_AGAIN_S:
            self._looked_at = loop.time()
            self._looking = loop.create_task(self._nodes.initialize())
            self._looking.add_done_callback(_is_told_later)


def cluster_store(
    setting: settings.Redis, login: Login, *, timeout_s: float = TIMEOUT_S
) -> RedisStore:
    """Connects to nobody yet. Raises `ValueError` for a setting that names no Redis."""
    return RedisStore(
        ClusterWire(_client(setting, login, timeout_s)),
        kind="redis-cluster",
        connections=setting.connections,
        timeout_s=timeout_s,
    )


def _client(setting: settings.Redis, login: Login, timeout_s: float) -> RedisCluster:
    """Its nodes get our connections: redis-py's would read certificates from files, each anew."""
    address = Address.of(setting.url or "")
    if address.path or address.database:
        raise ValueError("a cluster has no unix socket, and one database only")
    client = RedisCluster(
        host=address.host,
        port=address.port,
        require_full_coverage=False,
        max_connections=setting.connections + 1,  # one for looking which node has what
        retry=Retry(NoBackoff(), 0),
        protocol=3,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
    )
    arguments = connection_arguments(setting, login, timeout_s=timeout_s)
    arguments["connection_class"] = ClusterConnection
    if address.secure:
        arguments |= tls_arguments(setting, login)
        arguments["connection_class"] = ClusterTlsConnection
    del arguments["retry"]  # a node has its own, which does none either
    client.connection_kwargs.update(arguments)
    for node in client.nodes_manager.startup_nodes.values():
        node.connection_class = arguments["connection_class"]
        node.connection_kwargs.update(arguments)
        del node.connection_kwargs["connection_class"]
    return client


async def _send(node: ClusterNode, sent: Sequence[_Sent], replies: list[object]) -> None:
    try:
        await node.execute_pipeline([one.command for one in sent])
    except Exception as error:  # noqa: BLE001  (it is the reply, of whatever type it is)
        for one in sent:
            replies[one.place] = error
    else:
        for one in sent:
            replies[one.place] = one.command.result


def _is_told_later(looking: asyncio.Task[None]) -> None:
    """By whoever asks next, if it is still so."""
    if not looking.cancelled():
        looking.exception()
