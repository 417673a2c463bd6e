"""Vendor ids from a mounted file, which may be replaced while we run.

Either CSV with the header `customer_id,vendor_id`, or one JSON object from customer ids to vendor
ids. Which of them it is shows in its first character.
"""

import asyncio
import csv
import hashlib
import io
import json
import os
from asyncio import Future
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Thread
from uuid import UUID

from adapters.call import Call
from adapters.identity import VendorIds, as_uuid, loop_time, patient

SIZE_LIMIT = 64 * 1024 * 1024
"""Bytes of the file at most."""
ROW_LIMIT = 1_000_000
LOOK_AGAIN_S = 1.0
"""How often it is asked, at most, whether the file has changed."""
HEADER = ["customer_id", "vendor_id"]


class BadIdentityFile(Exception):  # noqa: N818  (what is bad is the file)
    """Says what is wrong and where, and never names an id."""


def parse_identity_file(
    content: bytes, *, size_limit: int = SIZE_LIMIT, row_limit: int = ROW_LIMIT
) -> dict[UUID, str]:
    """Vendor ids by customer id. One bad row refuses the file: half a map is a wrong map."""
    if len(content) > size_limit:
        raise BadIdentityFile(f"it is larger than {size_limit} bytes")
    text = _decoded(content)
    pairs = _json_pairs(text) if text.lstrip().startswith("{") else _csv_pairs(text)
    mapping: dict[UUID, str] = {}
    taken: set[str] = set()
    for number, pair in enumerate(pairs, start=1):
        if number > row_limit:
            raise BadIdentityFile(f"it has more than {row_limit} entries")
        customer_id, vendor_id = _entry(pair, number)
        if customer_id in mapping:
            raise BadIdentityFile(f"entry {number} names a customer for the second time")
        if vendor_id in taken:
            raise BadIdentityFile(f"entry {number} gives a customer another one's vendor id")
        mapping[customer_id] = vendor_id
        taken.add(vendor_id)
    return mapping


# Errors of the parsers hold what they parsed. None of them may become the context of ours, so
# each is left behind before ours is raised.


def _decoded(content: bytes) -> str:
    with suppress(UnicodeDecodeError):
        return content.decode("utf-8-sig")
    raise BadIdentityFile("it is not UTF-8")


def _json_pairs(text: str) -> Sequence[Sequence[object]]:
    pairs: object = None
    with suppress(ValueError, RecursionError):
        pairs = json.loads(text, object_pairs_hook=tuple)
    if not isinstance(pairs, tuple):
        raise BadIdentityFile("it is not a JSON object")
    return pairs


def _csv_pairs(text: str) -> Iterator[Sequence[object]]:
    rows = csv.reader(io.StringIO(text, newline=""), strict=True, skipinitialspace=True)
    try:
        if [name.strip() for name in next(rows, [])] != HEADER:
            raise BadIdentityFile("its first line is not the header customer_id,vendor_id")
        yield from (row for row in rows if row)
    except csv.Error:
        line = rows.line_num
    else:
        return
    raise BadIdentityFile(f"line {line} is not CSV")


def _entry(pair: Sequence[object], number: int) -> tuple[UUID, str]:
    customer_id, vendor_id = pair if len(pair) == 2 else (None, None)
    known = as_uuid(customer_id.strip()) if isinstance(customer_id, str) else None
    if known is None:
        raise BadIdentityFile(f"entry {number} is not a customer's UUID and a vendor id")
    if not isinstance(vendor_id, str) or not vendor_id.strip():
        raise BadIdentityFile(f"the vendor id of entry {number} is not text")
    return known, vendor_id.strip()


@dataclass(frozen=True, slots=True)
class _Read:
    """What a look at the file found."""

    mapping: Mapping[UUID, str] | None = field(default=None, repr=False)
    """The last good one, whether of this look or of one before."""
    stamp: tuple[int, ...] = ()
    """Changes when the file does, or when the mount puts another in its place."""
    digest: bytes = b""
    problem: str | None = None


class FileIdentity:
    """The mapping of a file. A bad or absent file leaves the last good mapping as it is.

    When asked, at most once in `LOOK_AGAIN_S`, it looks whether the file has changed.
    """

    def __init__(
        self, path: Path, *, size_limit: int = SIZE_LIMIT, clock: Callable[[], float] = loop_time
    ) -> None:
        self._path = path
        self._size_limit = size_limit
        self._clock = clock
        self._looked_at: float | None = None
        self._look: Future[_Read] | None = None
        self._last = _Read()

    @property
    def problem(self) -> str | None:
        """What is wrong with the file as it is now, for the operator; `None` when it is good."""
        return self._last.problem

    def read_ahead(self) -> None:
        """Begins to read the file unless that was done before, so that no question has to wait."""
        if self._looked_at is None:
            self._begin_look()

    async def vendor_ids(self, customer_ids: Sequence[UUID], call: Call) -> VendorIds:
        is_first = self._begin_look()
        if self._look is not None and (is_first or self._last.mapping is None):
            # It goes on when its time is up or its caller leaves: a later one finds it done.
            with suppress(TimeoutError):
                async with patient(call).budget.timer():
                    await asyncio.wait({self._look})
        mapping = self._last.mapping
        if mapping is None:
            return VendorIds({}, frozenset(customer_ids))
        return VendorIds({one: mapping[one] for one in customer_ids if one in mapping})

    def forget(self, customer_id: UUID) -> None:
        """Nothing: who is in the file is decided where the file comes from."""

    def _begin_look(self) -> bool:
        """Whether this question is the one that looks."""
        now = self._clock()
        is_due = self._looked_at is None or now >= self._looked_at + LOOK_AGAIN_S
        if self._look is not None or not is_due:
            return False
        self._looked_at = now
        loop = asyncio.get_running_loop()
        self._look = loop.create_future()
        self._look.add_done_callback(self._end_look)
        work = partial(_look_at, self._path, self._last, self._size_limit)
        # Of its own, for a dead mount keeps it: one of the event loop's would keep the process.
        Thread(target=_read, args=(loop, self._look, work), name="identities", daemon=True).start()
        return True

    def _end_look(self, look: "Future[_Read]") -> None:
        self._look = None
        self._last = look.result()


def _read(
    loop: asyncio.AbstractEventLoop, look: "Future[_Read]", work: Callable[[], "_Read"]
) -> None:
    try:
        tell = partial(look.set_result, work())
    except BaseException as error:  # noqa: BLE001  (raised where it is awaited)
        tell = partial(look.set_exception, error)
    with suppress(RuntimeError):  # the loop is closed, for the thread was left behind
        loop.call_soon_threadsafe(tell)


def _look_at(path: Path, last: _Read, size_limit: int) -> _Read:
    """In a thread. Never raises."""
    try:
        with path.open("rb") as file:
            status = os.fstat(file.fileno())
            stamp = (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)
            if stamp == last.stamp:
                return last
            content = file.read(size_limit + 1)
    except OSError as error:
        return replace(
            last, stamp=(), digest=b"", problem=f"it can't be read: {type(error).__name__}"
        )
    digest = hashlib.sha256(content).digest()
    if digest == last.digest:
        return replace(last, stamp=stamp)
    try:
        return _Read(parse_identity_file(content, size_limit=size_limit), stamp, digest)
    except BadIdentityFile as error:
        return _Read(last.mapping, stamp, digest, str(error))
