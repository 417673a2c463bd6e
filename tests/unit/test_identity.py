"""Vendor ids: those that are remembered, those of a file, and the UUID itself."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from uuid import NAMESPACE_URL, UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from adapters.call import Call
from adapters.identity import SameId, VendorIds
from adapters.identity_database import Remembered
from adapters.identity_file import BadIdentityFile, FileIdentity, parse_identity_file
from tests.servers.patience import in_time, patiently

CANARY = "canary-4711"
ANN, BEN, EVE = (uuid5(NAMESPACE_URL, name) for name in ("ann", "ben", "eve"))


def soon(budget_s: float = 10.0) -> Call:
    deadline = asyncio.get_running_loop().time() + budget_s
    return Call(deadline=deadline, asked_at=datetime(2026, 3, 1, tzinfo=UTC))


def as_csv(mapping: Mapping[UUID, str]) -> bytes:
    return "".join(
        ["customer_id,vendor_id\n", *(f"{one},{vendor}\n" for one, vendor in mapping.items())]
    ).encode()


def as_json(mapping: Mapping[UUID, str]) -> bytes:
    return json.dumps({str(one): vendor for one, vendor in mapping.items()}).encode()


async def test_the_same_id_is_pedkais_own_in_lower_case_with_hyphens() -> None:
    ids = SameId()
    assert await ids.vendor_ids([ANN, BEN], soon()) == VendorIds({ANN: str(ANN), BEN: str(BEN)})
    ids.forget(ANN)


def test_no_id_is_in_a_repr() -> None:
    shown = repr(VendorIds({ANN: CANARY}, frozenset({BEN})))
    assert CANARY not in shown
    assert str(ANN) not in shown
    assert str(BEN) not in shown


# What is remembered


def test_a_mapping_is_remembered_until_its_end_and_not_at_it() -> None:
    memory = Remembered(remember_s=300, capacity=10)
    memory.keep({ANN: "1"}, now=1000.0)
    assert memory.of([ANN, BEN], now=1299.9) == {ANN: "1"}
    assert memory.of([ANN], now=1300.0) == {}
    assert len(memory) == 0


def test_the_longest_unused_mapping_gives_way() -> None:
    memory = Remembered(remember_s=300, capacity=2)
    memory.keep({ANN: "1", BEN: "2"}, now=0)
    memory.of([ANN], now=1)
    memory.keep({EVE: "3"}, now=2)
    assert memory.of([ANN, BEN, EVE], now=3) == {ANN: "1", EVE: "3"}


class RememberedStory(RuleBasedStateMachine):
    """Against a plain dictionary: nothing wrong, nothing old, and never more than fits."""

    def __init__(self) -> None:
        super().__init__()
        self.memory = Remembered(remember_s=10, capacity=3)
        self.written: dict[UUID, tuple[str, float]] = {}
        self.now = 0.0

    customers = st.sampled_from([UUID(int=number) for number in range(5)])

    @rule(one=customers, vendor=st.text("abc", min_size=1))
    def keep(self, one: UUID, vendor: str) -> None:
        self.memory.keep({one: vendor}, self.now)
        self.written[one] = (vendor, self.now)
        assert self.memory.of([one], self.now) == {one: vendor}

    @rule(one=customers)
    def forget(self, one: UUID) -> None:
        self.memory.forget(one)
        self.written.pop(one, None)

    @rule(seconds=st.floats(0, 6))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @invariant()
    def what_is_remembered_is_true_and_fresh_and_fits(self) -> None:
        assert len(self.memory) <= 3
        for number in range(5):
            one = UUID(int=number)
            for vendor in self.memory.of([one], self.now).values():
                written, at = self.written[one]
                assert vendor == written
                assert self.now < at + 10


TestRememberedStory = RememberedStory.TestCase


# What a file says

printable = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"),
        exclude_characters='",\ufeff',
    ),
    min_size=1,
    max_size=12,
)
mappings = st.dictionaries(st.uuids(), printable, max_size=8).map(
    lambda made: {one: vendor for vendor, one in {v: k for k, v in made.items()}.items()}
)


@given(mappings)
def test_csv_and_json_say_the_same(mapping: dict[UUID, str]) -> None:
    assert parse_identity_file(as_csv(mapping)) == mapping
    assert parse_identity_file(as_json(mapping)) == mapping


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeffcustomer_id,vendor_id\r\n{ANN},7\r\n\r\n".encode(),
        f'customer_id, vendor_id\n"{ANN}", "7"\n'.encode(),
        f"customer_id,vendor_id\n{ANN.hex.upper()},7".encode(),
        f' \n{{"{ANN}": " 7 "}}\n'.encode(),
    ],
)
def test_ways_of_writing_that_mean_the_same_are_taken(content: bytes) -> None:
    assert parse_identity_file(content) == {ANN: "7"}


HEADER = b"customer_id,vendor_id\n"


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "header"),
        (f"{ANN},{CANARY}\n".encode(), "header"),
        (b"\xff\xfe" + CANARY.encode(), "UTF-8"),
        (HEADER + f"{ANN},{CANARY},x".encode(), "entry 1 is not"),
        (HEADER + f"{ANN}\n".encode(), "entry 1 is not"),
        (HEADER + f"{CANARY},7\n".encode(), "entry 1 is not"),
        (HEADER + f"{ANN}, \n".encode(), "entry 1 is not text"),
        (HEADER + f"{ANN},7\n{ANN.hex},8\n".encode(), "entry 2 names a customer"),
        (HEADER + f"{ANN},{CANARY}\n{BEN},{CANARY}\n".encode(), "entry 2 gives"),
        (HEADER + f'{ANN},"{CANARY}'.encode(), "line 2 is not CSV"),
        (f'{{"{ANN}": "{CANARY}"'.encode(), "not a JSON object"),
        (f'{{"{ANN}": 7}}'.encode(), "entry 1 is not text"),
        (f'{{"{ANN}": {{"{CANARY}": "7"}}}}'.encode(), "entry 1 is not text"),
        (f'{{"{ANN}": "7", "{ANN}": "7"}}'.encode(), "entry 2 names a customer"),
        (b'{"a":' * 100_000, "not a JSON object"),
    ],
)
def test_a_bad_file_is_refused_whole_with_what_is_wrong_and_no_id(
    content: bytes, says: str
) -> None:
    with pytest.raises(BadIdentityFile, match=says) as caught:
        parse_identity_file(content)
    assert CANARY not in str(caught.value)
    assert str(ANN) not in str(caught.value)
    assert caught.value.__context__ is None


def test_a_file_has_limits() -> None:
    content = as_csv({ANN: "1", BEN: "2"})
    with pytest.raises(BadIdentityFile, match="more than 1 entries"):
        parse_identity_file(content, row_limit=1)
    with pytest.raises(BadIdentityFile, match="larger than 20 bytes"):
        parse_identity_file(content, size_limit=20)
    assert len(parse_identity_file(content, row_limit=2, size_limit=len(content))) == 2


# A file that changes


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


class Mount:
    """A mounted file, a map over it, and its clock."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "identity.csv"
        self.clock = Clock()
        self.map = FileIdentity(self.file, size_limit=10_000, clock=self.clock)

    def replace(self, content: bytes) -> None:
        """As a mount does it: another file is put in its place."""
        other = self.file.with_suffix(".new")
        other.write_bytes(content)
        other.replace(self.file)

    async def ask(self, *ids: UUID, after_s: float = 1.0) -> VendorIds:
        self.clock.now += after_s
        return await self.map.vendor_ids(ids, soon())


@pytest.fixture
def mount(tmp_path: Path) -> Mount:
    return Mount(tmp_path)


async def test_a_customer_whom_the_file_does_not_name_has_no_mapping(mount: Mount) -> None:
    mount.replace(as_json({ANN: "7"}))
    assert await mount.ask(ANN, BEN) == VendorIds({ANN: "7"})
    assert mount.map.problem is None


async def test_without_a_file_nobodys_mapping_can_be_read_until_it_comes(mount: Mount) -> None:
    assert await mount.ask(ANN) == VendorIds({}, frozenset({ANN}))
    assert mount.map.problem == "it can't be read: FileNotFoundError"
    mount.replace(as_csv({ANN: "7"}))
    assert await mount.ask(ANN) == VendorIds({ANN: "7"})
    assert mount.map.problem is None


async def test_a_file_that_was_read_ahead_is_there_when_the_first_question_comes(
    mount: Mount,
) -> None:
    mount.replace(as_csv({ANN: "7"}))
    mount.map.read_ahead()
    mount.map.read_ahead()
    assert mount.map._look is not None
    await mount.map._look
    mount.file.unlink()
    assert await mount.ask(ANN, after_s=0.0) == VendorIds({ANN: "7"})
    mount.map.read_ahead()
    assert mount.map._look is None, "what was read once is read ahead no more"


def test_a_file_on_a_dead_mount_keeps_no_process_from_its_end(tmp_path: Path) -> None:
    """Opening a pipe that nobody writes to never returns either."""
    os.mkfifo(tmp_path / "ids.csv")
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from adapters.identity_file import FileIdentity\n"
        "async def main():\n"
        "    FileIdentity(Path(sys.argv[1])).read_ahead()\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "-P", "-c", script, str(tmp_path / "ids.csv")]
    assert subprocess.run(command, timeout=30, check=False).returncode == 0


async def test_a_changed_file_is_taken_by_the_next_question(mount: Mount) -> None:
    mount.replace(as_csv({ANN: "7"}))
    assert await mount.ask(ANN) == VendorIds({ANN: "7"})
    mount.replace(as_csv({BEN: "8"}))
    assert await mount.ask(ANN, BEN) == VendorIds({BEN: "8"})


async def test_a_file_is_looked_at_once_a_second_at_most(mount: Mount) -> None:
    mount.replace(as_csv({ANN: "7"}))
    await mount.ask(ANN)
    mount.replace(as_csv({ANN: "8"}))
    assert await mount.ask(ANN, after_s=0.9) == VendorIds({ANN: "7"})
    assert await mount.ask(ANN, after_s=0.1) == VendorIds({ANN: "8"})


@pytest.mark.parametrize("content", [b"garbage", b"x" * 20_000, None])
async def test_a_bad_file_leaves_the_last_good_mapping(mount: Mount, content: bytes | None) -> None:
    good = as_csv({ANN: "7"})
    mount.replace(good)
    await mount.ask(ANN)
    mount.file.unlink() if content is None else mount.replace(content)
    assert await mount.ask(ANN) == VendorIds({ANN: "7"})
    assert mount.map.problem is not None
    mount.replace(good)
    assert await mount.ask(ANN) == VendorIds({ANN: "7"})
    assert mount.map.problem is None


async def test_a_file_that_is_left_alone_is_not_read_anew(mount: Mount) -> None:
    mount.replace(as_csv({ANN: "7"}))
    first = await mount.ask(ANN)
    seen = mount.map._last
    assert await mount.ask(ANN) == first
    assert mount.map._last is seen


async def test_a_file_that_was_only_touched_is_not_read_anew(mount: Mount) -> None:
    mount.replace(as_csv({ANN: "7"}))
    before = (await mount.ask(ANN), mount.map._last.mapping)
    os.utime(mount.file, ns=(1, 1))
    assert (await mount.ask(ANN), mount.map._last.mapping) == before
    assert mount.map._last.mapping is before[1]


@patiently
async def test_a_file_that_hangs_takes_a_third_of_the_budget_and_is_there_later(
    tmp_path: Path,
) -> None:
    """A pipe without a writer: opening it waits for one, as a dead network mount would."""
    pipe = tmp_path / "identity.csv"
    pipe.unlink(missing_ok=True)
    os.mkfifo(pipe)
    ids = FileIdentity(pipe)
    begun = asyncio.get_running_loop().time()
    assert await ids.vendor_ids([ANN], soon(0.3)) == VendorIds({}, frozenset({ANN}))
    in_time(asyncio.get_running_loop().time() - begun, 0.25)
    await asyncio.to_thread(pipe.write_bytes, as_csv({ANN: "7"}))
    assert await ids.vendor_ids([ANN], soon(30)) == VendorIds({ANN: "7"})
    ids.forget(ANN)


async def test_a_file_that_begins_to_hang_holds_up_one_question_and_no_more(
    mount: Mount,
) -> None:
    mount.replace(as_csv({ANN: "7"}))
    await mount.ask(ANN)
    mount.file.unlink()
    os.mkfifo(mount.file)
    mount.clock.now += 1
    known = VendorIds({ANN: "7"})
    assert await mount.map.vendor_ids([ANN], soon(0.03)) == known
    begun = asyncio.get_running_loop().time()
    assert await mount.map.vendor_ids([ANN], soon(60)) == known
    assert asyncio.get_running_loop().time() - begun < 5
    await asyncio.to_thread(mount.file.write_bytes, as_csv({ANN: "8"}))


async def test_a_question_that_is_cancelled_does_not_cancel_the_look(tmp_path: Path) -> None:
    pipe = tmp_path / "identity.csv"
    os.mkfifo(pipe)
    ids = FileIdentity(pipe)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await ids.vendor_ids([ANN], soon(30))
    await asyncio.to_thread(pipe.write_bytes, as_csv({ANN: "7"}))
    assert await ids.vendor_ids([ANN], soon(30)) == VendorIds({ANN: "7"})


@pytest.mark.parametrize("make", [as_csv, as_json])
async def test_no_id_of_a_file_is_logged_or_shown(
    mount: Mount,
    make: Callable[[Mapping[UUID, str]], bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    mount.replace(make({ANN: CANARY}))
    await mount.ask(ANN)
    mount.replace(make({ANN: CANARY, BEN: CANARY}))
    await mount.ask(ANN)
    shown = f"{caplog.text} {mount.map.problem} {mount.map!r} {mount.map._last!r}"
    assert "another one's" in shown
    assert CANARY not in shown
    assert str(ANN) not in shown
