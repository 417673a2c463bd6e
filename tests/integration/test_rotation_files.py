"""Files that come late, in pieces, or are bad: the last good ones serve on, the status says why.

Each on a mount of Kubernetes, on disk and in memory, and in a plain folder.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.lookup import wall_clock
from adapters.outcome import Reason
from adapters.simulator.certificates import Authority, Issued, Validity
from adapters.simulator.vendor import SimulatedVendor
from proxy.connection import VendorConnection
from tests.integration.connecting import ask, authority, data, failure_of, folder, vendor
from tests.integration.rotating import (
    FULL,
    MOUNTS,
    Mount,
    MountKind,
    Papers,
    Turning,
    connection,
    mounted,
    turning,
    until,
)
from tests.servers.mount import PlainFolder

__all__ = ["authority", "connection", "data", "folder", "turning", "vendor"]  # fixtures

Files = Mapping[str, bytes]
OTHERS = Authority.create("Another CA", now=wall_clock(), intermediate=True)
PAST = Validity(
    not_before=wall_clock() - timedelta(days=9), not_after=wall_clock() - timedelta(days=1)
)


@pytest.fixture(params=MOUNTS)
def mount(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Mount]:
    kind: MountKind = request.param
    with mounted(kind, tmp_path) as one:
        yield one


def ended(authority: Authority) -> Files:
    issued = authority.issue_client("sidecar", validity=PAST)
    return {"client.pem": issued.certificate_pem(), "client.key": issued.key_pem()}


def misfit(authority: Authority) -> Files:
    issued = authority.issue_client("sidecar")
    strange = Issued(issued.certificate, (OTHERS.issuer.certificate,), issued.key)
    return {"client.pem": strange.certificate_pem(), "client.key": strange.key_pem()}


def part(name: str, share: float) -> Callable[[Authority], Files]:
    """As a copy looks that was broken off."""

    def broken(authority: Authority) -> Files:
        issued = authority.issue_client("sidecar")
        files = {"client.pem": issued.certificate_pem(), "client.key": issued.key_pem()}
        return {**files, name: files[name][: int(len(files[name]) * share)]}

    return broken


BAD: Mapping[str, tuple[Callable[[Authority], Files], str, str]] = {
    "a third of a certificate": (part("client.pem", 0.3), "client.pem", "not a PEM certificate"),
    "most of a chain": (part("client.pem", 0.8), "client.pem", "is cut short"),
    "half a key": (part("client.key", 0.5), "client.key", "is not a PEM private key"),
    "another's key": (
        lambda _: {"client.key": OTHERS.issue_client("sidecar").key_pem()},
        "client.key",
        "does not belong to the client certificate",
    ),
    "a certificate that has ended": (ended, "client.pem", "ended on"),
    "a chain that does not fit": (misfit, "client.pem", "is not a chain"),
    "an empty trust bundle": (lambda _: {"ca.pem": b""}, "ca.pem", "is empty"),
    "a trust bundle that is none": (lambda _: {"ca.pem": b"none"}, "ca.pem", "not a PEM"),
    "an empty secret": (lambda _: {"secret": b"\n"}, "secret", "is empty"),
}
"""What is mounted instead, which file is to blame, and words that say why."""


@pytest.mark.parametrize(("bad", "file", "why"), BAD.values(), ids=BAD)
async def test_a_bad_set_leaves_the_last_good_one_serving_and_the_status_says_why(
    vendor: SimulatedVendor,
    authority: Authority,
    turning: Turning,
    bad: Callable[[Authority], Files],
    file: str,
    why: str,
) -> None:
    connection, mount, good = turning.connection, turning.mount, turning.papers
    version = turning.version
    mount.update({**good.files(), **bad(authority)})
    await until(lambda: told(connection, file, why))
    (problem,) = connection.status().file_problems
    assert problem.startswith("the ")
    assert "; " in problem  # and what to do
    assert (await ask(connection)).status == 200
    assert (turning.version, serial(vendor)) == (version, good.client.serial)
    mended = replace(good, client=authority.issue_client("sidecar"))
    await turning.to(mended)
    assert connection.status().file_problems == ()
    assert (await ask(connection)).status == 200
    assert (turning.version, serial(vendor)) == (version + 1, mended.client.serial)


@pytest.mark.parametrize(
    ("missing", "reason"),
    [
        ({"client.pem", "client.key", "ca.pem", "secret"}, Reason.TLS),
        ({"client.key"}, Reason.TLS),
        ({"ca.pem"}, Reason.TLS),
        ({"secret"}, Reason.AUTH),
    ],
    ids=["a directory", "a key", "a trust bundle", "a secret"],
)
async def test_what_is_missing_at_the_start_is_told_and_the_connection_comes_alive_with_it(
    connection: VendorConnection,
    mount: Mount,
    authority: Authority,
    missing: set[str],
    reason: Reason,
) -> None:
    whole = Papers(client=authority.issue_client("sidecar"), trust=(authority,)).files()
    if present := {name: text for name, text in whole.items() if name not in missing}:
        mount.update(present)
        await until(lambda: len(connection.status().file_problems) == len(missing))
    failure = await failure_of(connection)
    assert failure.reason is reason
    assert all(str(mount.path / name) in failure.detail for name in missing)
    mount.update(whole)
    await until(lambda: connection.credentials is not None)
    assert (await ask(connection)).status == 200
    assert connection.status().file_problems == ()


async def test_a_certificate_of_the_future_is_taken_up_when_its_time_comes(
    vendor: SimulatedVendor, authority: Authority, turning: Turning
) -> None:
    """Nobody touches the files again."""
    connection = turning.connection
    begins = wall_clock() + timedelta(seconds=2)
    later = Validity(not_before=begins, not_after=begins + timedelta(days=1))
    issued = authority.issue_client("sidecar", validity=later)
    turning.mount.update(replace(turning.papers, client=issued).files())
    await until(lambda: told(connection, "client.pem", "is not valid before"))
    assert (await ask(connection)).status == 200
    assert serial(vendor) == turning.papers.client.serial
    await until(lambda: turning.version == 2)
    assert wall_clock() >= issued.certificate.not_valid_before_utc
    assert (await ask(connection)).status == 200
    assert serial(vendor) == issued.serial


async def test_the_same_contents_again_are_no_new_version(
    authority: Authority, turning: Turning
) -> None:
    for _ in range(3):
        turning.mount.update(turning.papers.files())
        assert not await turning.connection.source.look(wall_clock())
    await turning.to(replace(turning.papers, client=authority.issue_client("sidecar")))
    assert turning.version == 2


async def test_every_one_of_many_swaps_is_seen(
    vendor: SimulatedVendor, authority: Authority, turning: Turning
) -> None:
    for number in range(2, 52 if FULL else 7):
        await turning.to(replace(turning.papers, client=authority.issue_client("sidecar")))
        assert turning.version == number
        assert (await ask(turning.connection)).status == 200
        assert serial(vendor) == turning.papers.client.serial
    turning.tell("certificate and key")


@pytest.mark.parametrize("first", ["client.key", "client.pem"])
async def test_a_certificate_and_its_key_may_come_one_after_the_other(
    vendor: SimulatedVendor, authority: Authority, turning: Turning, first: str
) -> None:
    """People copy files. In Kubernetes, the same happens with two secrets in one projection."""
    old = turning.papers
    new = replace(old, client=authority.issue_client("sidecar"))
    turning.mount.update({**old.files(), first: new.files()[first]})
    await until(lambda: told(turning.connection, "client.key", "does not belong"))
    assert (await ask(turning.connection)).status == 200
    assert serial(vendor) == old.client.serial
    await turning.to(new)
    assert turning.version == 2
    assert (await ask(turning.connection)).status == 200
    assert serial(vendor) == new.client.serial


@pytest.mark.parametrize("mount", ["a plain folder"], indirect=True)
async def test_a_file_that_is_replaced_by_a_rename_is_seen_each_time(
    authority: Authority, turning: Turning
) -> None:
    folder = turning.mount
    assert isinstance(folder, PlainFolder)
    for number in range(3):
        bundle = (authority, Authority.create(f"CA {number}", now=wall_clock()))
        before = turning.version
        folder.replace("ca.pem", b"".join(one.trust_bundle() for one in bundle))
        await until(lambda before=before: turning.version > before)  # type: ignore[misc]
    assert turning.version == 4


async def test_a_certificate_for_servers_only_is_tried_with_a_warning(
    authority: Authority, turning: Turning
) -> None:
    await turning.to(replace(turning.papers, client=authority.issue_server(["sidecar"])))
    status = turning.connection.status()
    assert (status.credentials, status.file_problems) == ("good", ())
    (warning,) = status.file_warnings
    assert "public CAs stopped issuing client usage in 2026" in warning


def told(connection: VendorConnection, file: str, why: str) -> bool:
    """Whether the status names this file and no other, and says why."""
    problems = connection.status().file_problems
    return len(problems) == 1 and f"{file} " in problems[0] and why in problems[0]


def serial(vendor: SimulatedVendor) -> int:
    """Of the certificate that the latest request was made with."""
    seen = vendor.traffic.requests[-1].certificate
    assert seen is not None
    return seen.serial
