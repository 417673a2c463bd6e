"""The life of a connection's credentials: what becomes current, when, and what is said of it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outcome import Reason
from adapters.simulator.certificates import Authority, Validity
from config.settings import ClientTls, OAuth2
from proxy.credentials import errands
from proxy.credentials.judgement import FileProblem
from proxy.credentials.snapshot import Credentials
from proxy.credentials.source import LONGEST_WAIT, CredentialSource, Read, pause_s
from proxy.credentials.watch import Watcher
from tests.servers.mount import KubernetesMount
from tests.unit.credentials.conftest import NOW

T = TypeVar("T")

BOUND_S = 10.0
SECOND = timedelta(seconds=1)


@pytest.fixture
def source(folder: Path) -> CredentialSource:
    (folder / "secret").write_text("first")
    return source_of(folder)


def source_of(folder: Path, now: datetime = NOW, read: Read = errands.read) -> CredentialSource:
    tls = ClientTls(
        certificate_file=str(folder / "client.pem"),
        key_file=str(folder / "client.key"),
        trust_bundle_file=str(folder / "ca.pem"),
    )
    oauth2 = OAuth2(
        token_url="https://issuer.test/",
        client_id="c",
        client_secret_file=str(folder / "secret"),
    )
    return CredentialSource("csg", tls, oauth2, clock=lambda: now, read=read)


def rotate(folder: Path, authority: Authority, validity: Validity | None = None) -> int:
    leaf = authority.issue_client("sidecar", validity=validity)
    leaf.write(folder, "client")
    return leaf.serial


def serial(source: CredentialSource) -> int:
    assert source.current is not None
    return source.current.certificates.client[0].serial


async def test_before_the_first_look_there_is_nothing_and_a_reason(
    source: CredentialSource,
) -> None:
    assert source.current is None
    assert not source.looked
    assert source.failure is not None
    assert source.failure.reason is Reason.TLS


async def test_each_good_set_is_a_version_of_its_own_with_a_fresh_context(
    source: CredentialSource, folder: Path, authority: Authority
) -> None:
    seen: list[Credentials] = []
    for number in range(1, 4):
        issued = rotate(folder, authority)
        assert await source.look(NOW + number * SECOND)
        assert serial(source) == issued
        assert source.current is not None
        assert source.current.version == number
        assert source.loaded_at == NOW + number * SECOND
        seen.append(source.current)
    assert len({id(one.tls) for one in seen}) == 3
    assert source.failure is None


async def test_the_same_contents_are_no_news(source: CredentialSource, folder: Path) -> None:
    assert await source.look(NOW)
    first = source.current
    (folder / "ca.pem").touch()
    assert not await source.look(NOW + SECOND)
    assert source.current is first


async def test_files_that_were_refused_are_not_judged_again_for_nothing(
    source: CredentialSource, folder: Path
) -> None:
    (folder / "client.key").write_text("no key")
    await source.look(NOW)
    refused = source.problems
    await source.look(NOW + timedelta(days=1))
    assert source.problems is refused


async def test_a_change_of_the_secret_alone_is_a_new_version(
    source: CredentialSource, folder: Path
) -> None:
    await source.look(NOW)
    (folder / "secret").write_text("second")
    assert await source.look(NOW)
    assert source.current is not None
    assert source.current.client_secret is not None
    assert source.current.client_secret.get_secret_value() == "second"


async def test_a_bad_set_leaves_the_last_good_one_and_says_why(
    source: CredentialSource, folder: Path
) -> None:
    await source.look(NOW)
    good = source.current
    key = (folder / "client.key").read_bytes()
    (folder / "client.key").write_bytes(key[:100])
    assert not await source.look(NOW)
    assert source.current is good
    (problem,) = source.problems
    assert (problem.role, problem.file) == ("client key", str(folder / "client.key"))
    assert source.failure is None
    (folder / "client.key").write_bytes(key)
    assert not await source.look(NOW)  # it is what serves
    assert source.problems == ()
    assert source.current is good


async def test_certificate_and_key_in_two_steps_are_taken_when_both_are_there(
    source: CredentialSource, folder: Path, authority: Authority
) -> None:
    await source.look(NOW)
    leaf = authority.issue_client("sidecar")
    (folder / "client.pem").write_bytes(leaf.certificate_pem())
    assert not await source.look(NOW)
    assert serial(source) != leaf.serial
    (folder / "client.key").write_bytes(leaf.key_pem())
    assert await source.look(NOW)
    assert serial(source) == leaf.serial


async def test_files_that_are_absent_at_first_are_taken_when_they_come(
    source: CredentialSource, folder: Path
) -> None:
    (folder / "secret").rename(folder / "elsewhere")
    assert not await source.look(NOW)
    assert source.failure is not None
    assert source.failure.reason is Reason.AUTH
    assert "cannot be read" in source.failure.detail
    (folder / "elsewhere").rename(folder / "secret")
    assert await source.look(NOW)


async def test_while_a_good_one_serves_a_certificate_is_taken_at_its_time_and_not_before(
    source: CredentialSource, folder: Path, authority: Authority
) -> None:
    await source.look(NOW)
    good = source.current
    begins = NOW + 2 * SECOND
    issued = rotate(folder, authority, Validity(not_before=begins, not_after=begins + 9 * SECOND))
    assert not await source.look(NOW)
    assert source.look_again_at == begins
    assert not await source.look(begins - SECOND)
    assert source.current is good
    assert await source.look(begins)
    assert serial(source) == issued
    assert source.problems == ()


async def test_without_a_good_one_a_certificate_is_tried_a_minute_before_its_time(
    source: CredentialSource, folder: Path, authority: Authority
) -> None:
    begins = NOW + 61 * SECOND
    rotate(folder, authority, Validity(not_before=begins, not_after=begins + timedelta(days=1)))
    assert not await source.look(NOW)
    assert await source.look(NOW + SECOND)


async def test_a_clock_that_is_set_back_has_refused_files_judged_again(
    source: CredentialSource,
) -> None:
    assert not await source.look(NOW + timedelta(days=3650))
    assert "ended on" in source.problems[0].what
    assert await source.look(NOW)


async def test_a_ca_that_was_removed_is_not_in_the_new_context(
    source: CredentialSource, folder: Path, authority: Authority
) -> None:
    other = Authority.create("Other CA", now=NOW)
    (folder / "ca.pem").write_bytes(authority.trust_bundle() + other.trust_bundle())
    await source.look(NOW)
    (folder / "ca.pem").write_bytes(other.trust_bundle())
    await source.look(NOW)
    assert source.current is not None
    assert trusted_by(source.current.tls) == ["Other CA"]
    assert [one.subject for one in source.current.certificates.trusted] == ["CN=Other CA"]


def trusted_by(context: ssl.SSLContext) -> list[str]:
    return [
        dict(part[0] for part in one["subject"])["commonName"] for one in context.get_ca_certs()
    ]  # type: ignore[misc, union-attr, index]  # typeshed has it loosely


async def at_once(work: Callable[[], T]) -> T:
    """Every look is over before the first one is heard of."""
    result = work()
    await asyncio.sleep(0)
    return result


async def test_many_who_look_at_once_make_one_version(
    source: CredentialSource, folder: Path
) -> None:
    source = source_of(folder, read=at_once)
    swapped = await asyncio.gather(*(source.look(NOW) for _ in range(20)))
    assert swapped.count(True) == 1
    assert source.current is not None
    assert source.current.version == 1


class Story:
    """What a running source told."""

    def __init__(self) -> None:
        self.versions: list[int] = []
        self.refused: list[tuple[FileProblem, ...]] = []
        self._heard = asyncio.Event()

    def swapped(self, credentials: Credentials) -> None:
        self.versions.append(credentials.version)
        self._heard.set()

    def was_refused(self, problems: tuple[FileProblem, ...]) -> None:
        self.refused.append(problems)
        self._heard.set()

    async def until(self, *, versions: int = 0, refused: int = 0) -> None:
        async with asyncio.timeout(BOUND_S):
            while len(self.versions) < versions or len(self.refused) < refused:
                self._heard.clear()
                await self._heard.wait()


@asynccontextmanager
async def running(source: CredentialSource) -> AsyncIterator[Story]:
    story = Story()
    task = asyncio.get_running_loop().create_task(source.run(story.swapped, story.was_refused))
    try:
        yield story
    finally:
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()


def mounted(authority: Authority, secret: str) -> dict[str, bytes]:
    leaf = authority.issue_client("sidecar")
    return {
        "client.pem": leaf.certificate_pem(),
        "client.key": leaf.key_pem(),
        "ca.pem": authority.trust_bundle(),
        "secret": secret.encode(),
    }


async def test_a_mount_that_comes_late_and_rotates_is_followed_by_itself(
    tmp_path: Path, authority: Authority
) -> None:
    mount = KubernetesMount(tmp_path / "mounts" / "csg")
    source = source_of(mount.path)
    async with running(source) as story:
        await story.until(refused=1)
        for number in range(1, 6):
            mount.update(mounted(authority, f"secret {number}"))
            await story.until(versions=number)
    assert story.versions == [1, 2, 3, 4, 5]


async def test_a_bad_set_is_told_once(source: CredentialSource, folder: Path) -> None:
    async with running(source) as story:
        await story.until(versions=1)
        (folder / "secret").write_text("\n")
        await story.until(refused=1)
        (folder / "secret").write_text("\n\n")  # other contents, the same problem
        await source.look(NOW)
        (folder / "secret").write_text("third")
        await story.until(versions=2)
    assert [[one.what for one in problems] for problems in story.refused] == [["is empty"]]


async def test_who_looks_beside_a_running_source_has_its_swap_told(
    source: CredentialSource, folder: Path
) -> None:
    async with running(source) as story:
        await story.until(versions=1)
        (folder / "secret").write_text("second")
        await source.look(NOW)
        assert source.current is not None
        assert story.versions == [1, source.current.version] == [1, 2]


@given(st.one_of(st.none(), st.integers(-(10**6), 10**6)))
def test_a_pause_is_never_negative_nor_longer_than_a_minute(ahead_s: int | None) -> None:
    """The wall clock may be set while we wait."""
    if ahead_s is None:
        assert pause_s(None, NOW) is None
        return
    pause = pause_s(NOW + timedelta(seconds=ahead_s), NOW)
    assert pause is not None
    assert 0 <= pause <= LONGEST_WAIT.total_seconds()
    assert pause == max(0, min(ahead_s, 60))


async def test_a_secret_that_is_copied_in_place_is_read_when_the_copy_is_over(
    source: CredentialSource, folder: Path
) -> None:
    """Half a secret looks like a whole one, so only its coming to rest can tell."""
    secrets: list[str] = []
    hinted = asyncio.Event()

    def on_swap(credentials: Credentials) -> None:
        assert credentials.client_secret is not None
        secrets.append(credentials.client_secret.get_secret_value())
        hinted.set()

    path = folder / "secret"
    async with asyncio.timeout(20):
        running = asyncio.get_running_loop().create_task(source.run(on_swap, settle_s=2.0))
        await hinted.wait()
        seen = asyncio.Event()
        watching = asyncio.get_running_loop().create_task(Watcher([path], seen.set).run())
        await seen.wait()
        seen.clear()
        path.write_text("sec")
        await seen.wait()  # so does the source by now
        path.write_text("second")
        hinted.clear()
        await hinted.wait()
        for task in (running, watching):
            task.cancel()
    assert secrets == ["first", "second"]
