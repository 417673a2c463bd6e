"""The doctor and the cache, on real Redis servers."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters.lookup import wall_clock
from config import settings
from proxy.cache.keys import new_key
from proxy.doctor.cache import examine_cache
from proxy.doctor.cache_advice import RIGHTS
from proxy.doctor.findings import Report, State
from tests.integration.examining import ill, step_of
from tests.servers.redis import CONTROL, free_ports, running_redis, tls_options
from tests.servers.redis_kinds import certificates, short_folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """With two files of keys."""
    with short_folder() as one:
        for name in ("master", "names"):
            (one / name).write_text(new_key())
        yield one


async def examined(folder: Path, redis: Mapping[str, Any]) -> Report:
    setting = settings.Cache.model_validate(
        {
            "store": "redis",
            "master_keys_file": str(folder / "master"),
            "name_keys_file": str(folder / "names"),
            "redis": redis,
        }
    )
    return await examine_cache(setting, clock=wall_clock)


def states(report: Report) -> dict[str, State]:
    return {step.name: step.state for step in report.steps}


async def test_a_redis_that_is_well_passes_every_step_and_keeps_nothing_of_it(
    folder: Path,
) -> None:
    with running_redis(folder / "a") as server:
        report = await examined(folder, {"url": server.unix_url})
        assert states(report) == dict.fromkeys(
            ("key rings", "login", "redis", "writing", "persistence"), State.GOOD
        )
        assert server.tell("EXISTS", "bss1:doctor") == 0


async def test_a_redis_that_writes_to_a_disk_is_doubtful(folder: Path) -> None:
    with running_redis(folder / "a", "--appendonly", "yes") as server:
        report = await examined(folder, {"url": server.unix_url})
    step = step_of(report, "persistence")
    assert (step.state, step.said) == (State.DOUBTFUL, "aof")
    assert "appendonly no" in step.advice[0].cure
    assert report.is_good, "it serves"


async def test_keys_that_are_no_keys_are_told_and_the_redis_is_tried_all_the_same(
    folder: Path,
) -> None:
    (folder / "master").write_text("c2hvcnQ=")
    with running_redis(folder / "a") as server:
        report = await examined(folder, {"url": server.unix_url})
    advice = ill(report, "key rings")
    assert "master keys: line 1 holds 5 bytes" in advice.cause
    assert "new-key" in advice.cure
    assert states(report)["redis"] is State.GOOD


async def test_a_redis_that_is_not_there(folder: Path) -> None:
    advice = ill(await examined(folder, {"url": f"unix://{folder}/none"}), "redis")
    assert advice.cause == f"no Redis answers at unix://{folder}/none"


async def test_a_login_that_is_refused_and_one_that_suffices(folder: Path) -> None:
    rights = RIGHTS.replace("NAME", "sidecar").replace("PASSWORD", "right")
    (folder / "users").write_text(f"{rights}\nuser default on >{CONTROL} ~* +@all\n")
    password = folder / "password"
    redis = {"username": "sidecar", "password_file": str(password)}
    with running_redis(
        folder / "a", "--aclfile", str(folder / "users"), password=CONTROL
    ) as server:
        redis["url"] = server.unix_url
        assert "password" in ill(await examined(folder, redis), "login").cause
        password.write_text("wrong")
        assert "refuses the login" in ill(await examined(folder, redis), "redis").cause
        password.write_text("right\n")
        report = await examined(folder, redis)
        assert (states(report)["redis"], states(report)["writing"]) == (State.GOOD, State.GOOD)


@pytest.mark.parametrize(("trouble", "words"), [("replica", "no writes"), ("full", "is full")])
async def test_a_redis_that_takes_no_entry(folder: Path, trouble: str, words: str) -> None:
    with running_redis(folder / "a") as server:
        {"replica": server.become_replica, "full": server.fill}[trouble]()
        report = await examined(folder, {"url": server.unix_url})
    assert words in ill(report, "writing").cause


async def test_another_authority_is_no_tls(folder: Path) -> None:
    certificates(folder)
    (folder / "b").mkdir()
    certificates(folder / "b")
    tls = {
        "trust_bundle_file": str(folder / "b" / "ca.pem"),
        "certificate_file": str(folder / "client.pem"),
        "key_file": str(folder / "client.key"),
    }
    (port,) = free_ports(1)
    with running_redis(folder / "a", *tls_options(folder, port)):
        redis = {"url": f"rediss://localhost:{port}", "tls": tls}
        assert "no TLS" in ill(await examined(folder, redis), "redis").cause
        tls["trust_bundle_file"] = str(folder / "ca.pem")
        assert states(await examined(folder, redis))["redis"] is State.GOOD
