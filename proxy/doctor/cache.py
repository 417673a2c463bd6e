"""The cache of a configuration: its keys, its login, its Redis, and what reaches a disk."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from config import settings
from proxy.cache.names import PREFIX
from proxy.cache.store import Put, Store, StoreFailed
from proxy.cache_files import KeyFiles, LoginFiles, is_secure
from proxy.credentials.snapshot import Credentials
from proxy.doctor.cache_advice import of_persistence, of_setting, of_store, of_writing
from proxy.doctor.findings import Advice, Fact, Report, State, Step
from proxy.redis_caching import store_of
from proxy.telemetry.records import FileRecord

NAME = "cache"
"""Of its report, among the connections'."""
_PROBE, _TOMBSTONE = PREFIX + b"doctor", PREFIX + b"doctor-tombstone"


async def examine_cache(setting: settings.Cache, *, clock: Callable[[], datetime]) -> Report:
    """Of a store `redis`; the others need nothing."""
    report = Report(NAME, setting.store)
    if setting.redis is None:
        return report
    keys = KeyFiles(setting.master_keys_file or "", setting.name_keys_file or "")
    login = LoginFiles(setting.redis)
    await asyncio.to_thread(keys.look)
    await asyncio.to_thread(login.look, clock())
    report.steps += [_keys_step(keys), _login_step(setting.redis, login)]
    if login.current is None:
        report.steps.append(Step.skipped("redis", "who we are to it has to be known first"))
        return report
    report.steps += await _redis_steps(setting.redis, login.current)
    return report


def place_of(setting: settings.Redis) -> str:
    """For people; it holds no login, for the rules of the configuration refuse one."""
    if setting.sentinels:
        return f"{setting.sentinel_service}, as {', '.join(setting.sentinels)} say"
    return f"a Cluster at {setting.url}" if setting.cluster else str(setting.url)


def _keys_step(keys: KeyFiles) -> Step:
    bad = tuple(map(_advice, keys.problems))
    if keys.current is None:
        return Step.judged("key rings", "", bad=bad)
    facts = (
        Fact("master keys", str(len(keys.current.master.keys))),
        Fact("name keys", str(len(keys.current.names.keys))),
    )
    return Step.judged("key rings", "the first of each seals, all open", facts=facts)


def _login_step(setting: settings.Redis, login: LoginFiles) -> Step:
    problems = login.problems
    said = f"{'over TLS' if is_secure(setting) else 'without TLS'}, as " + (
        setting.username or "the default user"
    )
    return Step.judged(
        "login",
        said,
        bad=tuple(_advice(one) for one in problems if one.serious),
        doubtful=tuple(_advice(one) for one in problems if not one.serious),
    )


async def _redis_steps(setting: settings.Redis, credentials: Credentials) -> list[Step]:
    place = place_of(setting)
    try:
        store = store_of(setting, credentials)
    except ValueError as error:
        return [Step.judged("redis", place, bad=(of_setting(str(error)),))]
    try:
        read = await _reading(store, place)
        if read.state is State.BAD:
            return [read]
        return [read, await _writing(store), await _persistence(store)]
    finally:
        await store.aclose()


async def _reading(store: Store, place: str) -> Step:
    clock = asyncio.get_running_loop().time
    began = clock()
    try:
        await store.get_many([_PROBE])
        first_s, began = clock() - began, clock()
        await store.get_many([_PROBE])
    except StoreFailed as failure:
        return Step.judged("redis", place, bad=(of_store(failure.kind, place),))
    facts = (Fact("first read", _ms(first_s)), Fact("next read", _ms(clock() - began)))
    return Step.judged("redis", place, facts=facts)


async def _writing(store: Store) -> Step:
    """All that a sidecar does, with a name of our own and nothing personal under it."""
    try:
        await store.put_many([Put(_PROBE, b"doctor", 1.0, unless=(_TOMBSTONE,))])
        await store.forget([_PROBE], [_TOMBSTONE], 1.0)
    except StoreFailed as failure:
        return Step.judged("writing", "an entry of a second", bad=(of_writing(failure.kind),))
    return Step.judged("writing", "an entry of a second can be put and removed")


async def _persistence(store: Store) -> Step:
    try:
        facts = await store.facts()
    except StoreFailed as failure:
        warning = f"it can't be told whether Redis writes to a disk ({failure.kind})"
        return Step.judged("persistence", "unknown", doubtful=(of_persistence(warning),))
    doubtful = (of_persistence(facts.warning),) if facts.warning else ()
    return Step.judged("persistence", facts.persistence, doubtful=doubtful)


def _advice(file: FileRecord) -> Advice:
    return Advice(cause=f"{file.file}: {file.what}", cure=file.remedy)


def _ms(took_s: float) -> str:
    return f"{took_s * 1000:.1f} ms"
