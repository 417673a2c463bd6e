"""Seals entries. Who has no key of the ring can neither read an entry nor make, move, revive one.

    sealed    = header || AES-256-GCM(subkey, nonce, inside, bound)
    header    = version (1) || key id (4) || salt (16) || nonce (12)
    inside    = issued at (8, ms) || expires at (8, ms) || length (4) || plain || zeros
    bound     = header || length of the name (4) || name || scope

A subkey belongs to one process: HKDF-SHA256 of the first master key and a random salt, which
travels in the header. So a nonce is a mere counter, and no key wears out, however many sidecars
seal. The key id tells at once that a master key has left the ring. Zeros fill up steps of 128
bytes: a length tells neither a plan nor, as a rule, that there is no such customer.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from enum import StrEnum
from itertools import count
from struct import Struct
from typing import NamedTuple, NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from proxy.cache.keys import KEY_BYTES, KeyRing, Random

VERSION = b"\x01"
_VERSION = VERSION[0]
SEALS_PER_SUBKEY = 2**32
REMEMBERED_SUBKEYS = 1024
"""Of all processes whose entries were opened lately; one takes about 2.5 KB."""
LONGEST_MS = 300_000
"""Nothing of anybody is older."""
CLOCK_TOLERANCE_MS = 5_000
"""By so much the clock of who sealed may be ahead of the clock of who opens."""
LARGEST_PLAIN_BYTES = 64 * 1024

_ID_BYTES = 4
_SALT_BYTES = 16
_NONCE_BYTES = 12
_TAG_BYTES = 16
_STEP_BYTES = 128
_KEY_ID = slice(1, 5)
_SALT = slice(5, 21)
_NONCE_AT = 21
_HEADER_BYTES = 33
TIMES = Struct(">QQI")
"""Inside, before what was sealed: issued at, expires at, length."""
_LENGTH_OF_NAME = Struct(">I").pack
_LEAST_BYTES = _HEADER_BYTES + _STEP_BYTES + _TAG_BYTES
_MOST_BYTES = _HEADER_BYTES + TIMES.size + LARGEST_PLAIN_BYTES + _STEP_BYTES + _TAG_BYTES
_ID_LABEL = b"bss-sidecar cache 1: key id"
_SUBKEY_LABEL = b"bss-sidecar cache 1: subkey"


class Refused(StrEnum):
    """Why an entry does not open. A closed list: it is a metric label."""

    MALFORMED = "malformed"
    """Nothing that this version seals."""
    UNKNOWN_KEY = "unknown_key"
    """Sealed under a key that is not in the ring."""
    FORGED = "forged"
    """Changed, moved to another name or scope, or sealed by nobody of ours."""
    EXPIRED = "expired"
    FROM_THE_FUTURE = "from_the_future"
    """Issued later than now, beyond what clocks differ."""
    OTHER_CONFIGURATION = "other_configuration"
    """Learned when its connection was configured otherwise, or by a sidecar where it is."""


class Opened(NamedTuple):
    """What was sealed. It is personal data, so its repr is empty."""

    plain: bytes
    issued_at_ms: int
    expires_at_ms: int

    def __repr__(self) -> str:
        return "Opened()"


class _Lineage:
    """Which process this is. A process id alone may come back; after a fork nothing here does."""

    def __init__(self) -> None:
        self._forks = 0

    def forked(self) -> None:
        self._forks += 1

    def now(self) -> tuple[int, int]:
        return os.getpid(), self._forks


_LINEAGE = _Lineage()
os.register_at_fork(after_in_child=_LINEAGE.forked)


class _Pen(NamedTuple):
    """What one process seals with."""

    aead: AESGCM
    head: bytes
    """The header up to its nonce."""
    nonces: Iterator[int]
    """Handed out one by one, also to threads."""
    process: tuple[int, int]


class Sealer:
    """Seals under the first key of a ring, and opens what any key of it sealed."""

    __slots__ = ("_latest", "_masters", "_pen", "_random", "_renew_after", "_ring", "_subkeys")

    def __init__(
        self,
        master: KeyRing,
        *,
        random: Random = os.urandom,
        renew_after: int = SEALS_PER_SUBKEY,
    ) -> None:
        self._ring = master
        self._masters: dict[bytes, list[bytes]] = {}
        for key in master.keys:
            self._masters.setdefault(_derived(key, b"", _ID_LABEL, _ID_BYTES), []).append(key)
        self._random = random
        self._renew_after = renew_after
        self._pen: _Pen | None = None
        self._subkeys: dict[bytes, AESGCM] = {}
        self._latest: AESGCM | None = None
        """The last one of the subkeys."""

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError("a sealer is not copied: two would count the same nonces")

    def seal(
        self, plain: bytes, *, name: bytes, scope: bytes, issued_at_ms: int, expires_at_ms: int
    ) -> bytes:
        """Times are milliseconds since 1970. `ValueError` of a life that is none or too long."""
        if not 0 <= issued_at_ms < expires_at_ms <= issued_at_ms + LONGEST_MS:
            raise ValueError("an entry lives for more than nothing and at most 300 s")
        if len(plain) > LARGEST_PLAIN_BYTES:
            raise ValueError("an entry is too large")
        inside = TIMES.pack(issued_at_ms, expires_at_ms, len(plain)) + plain
        inside += bytes(-len(inside) % _STEP_BYTES)
        pen, number = self._next()
        nonce = number.to_bytes(_NONCE_BYTES)
        header = pen.head + nonce
        return header + pen.aead.encrypt(nonce, inside, _bound(header, name, scope))

    def open(self, sealed: bytes, *, name: bytes, scope: bytes, now_ms: int) -> Opened | Refused:
        inside = self.inside(sealed, name, scope)
        if isinstance(inside, Refused):
            return inside
        issued_at_ms, expires_at_ms, length = TIMES.unpack_from(inside)
        refused = too_old_or_new(issued_at_ms, expires_at_ms, now_ms)
        if refused is not None:
            return refused
        plain = inside[TIMES.size : TIMES.size + length]
        return Opened(plain, issued_at_ms, expires_at_ms)

    def inside(self, sealed: bytes, name: bytes, scope: bytes) -> bytes | Refused:
        """What is inside, whose times nobody has looked at: `too_old_or_new` does."""
        if not _LEAST_BYTES <= len(sealed) <= _MOST_BYTES or sealed[0] != _VERSION:
            return Refused.MALFORMED
        aead = self._subkeys.get(sealed[:_NONCE_AT])
        if aead is None:
            return self._inside_of_a_stranger(sealed, name, scope)
        header = sealed[:_HEADER_BYTES]
        bound = header + _LENGTH_OF_NAME(len(name)) + name + scope
        try:
            inside = aead.decrypt(header[_NONCE_AT:], sealed[_HEADER_BYTES:], bound)
        except InvalidTag:
            return Refused.FORGED
        if aead is not self._latest:
            self._remember(sealed[:_NONCE_AT], aead)
        return inside

    def insides(
        self, sealed: Sequence[bytes | None], names: Sequence[bytes], scope: bytes
    ) -> list[bytes | None]:
        """As `inside`, of all that are under their names; `None`: there is nothing, or `inside` has
        more to do, or refuses it. Names are alike in length: one that is not does not open here.
        """
        opened: list[bytes | None] = []
        add, subkeys = opened.append, self._subkeys
        head, aead, length = b"", None, _LENGTH_OF_NAME(len(names[0])) if names else b""
        for one, name in zip(sealed, names, strict=True):
            if one is None:
                add(None)
                continue
            if one[:_NONCE_AT] != head:
                head = one[:_NONCE_AT]
                aead = subkeys.get(head)
                if aead is not None and aead is not self._latest:
                    self._remember(head, aead)
            if aead is None:
                add(None)
                continue
            header = one[:_HEADER_BYTES]
            try:
                add(
                    aead.decrypt(
                        header[_NONCE_AT:], one[_HEADER_BYTES:], header + length + name + scope
                    )
                )
            except (InvalidTag, ValueError):  # `ValueError`: not even a nonce
                add(None)
        return opened

    def _next(self) -> tuple[_Pen, int]:
        """A subkey of this process, and a number that it has not been used with."""
        pen = self._pen
        if pen is not None and pen.process == _LINEAGE.now():
            number = next(pen.nonces)
            if number < self._renew_after:
                return pen, number
        self._pen = pen = self._new_pen()
        return pen, next(pen.nonces)

    def _new_pen(self) -> _Pen:
        salt = self._random(_SALT_BYTES)
        if len(salt) != _SALT_BYTES:
            raise ValueError("a salt has another length")
        key = self._ring.keys[0]
        head = VERSION + _derived(key, b"", _ID_LABEL, _ID_BYTES) + salt
        return _Pen(_subkey(key, salt), head, count(), _LINEAGE.now())

    def _inside_of_a_stranger(self, sealed: bytes, name: bytes, scope: bytes) -> bytes | Refused:
        """What does not open leaves nothing behind: salts at random fill no memory of ours."""
        masters = self._masters.get(sealed[_KEY_ID])
        if masters is None:
            return Refused.UNKNOWN_KEY
        header = sealed[:_HEADER_BYTES]
        for key in masters:
            aead = _subkey(key, header[_SALT])
            with suppress(InvalidTag):
                inside = aead.decrypt(
                    header[_NONCE_AT:], sealed[_HEADER_BYTES:], _bound(header, name, scope)
                )
                self._remember(header[:_NONCE_AT], aead)
                return inside
        return Refused.FORGED

    def _remember(self, head: bytes, aead: AESGCM) -> None:
        """The one that was needed last comes last; the first one goes when there is no room."""
        self._subkeys.pop(head, None)
        self._subkeys[head] = self._latest = aead
        if len(self._subkeys) > REMEMBERED_SUBKEYS:
            del self._subkeys[next(iter(self._subkeys))]


def too_old_or_new(issued_at_ms: int, expires_at_ms: int, now_ms: int) -> Refused | None:
    """Whether the times inside an entry refuse it."""
    if now_ms >= expires_at_ms or now_ms >= issued_at_ms + LONGEST_MS:
        return Refused.EXPIRED
    if issued_at_ms > now_ms + CLOCK_TOLERANCE_MS:
        return Refused.FROM_THE_FUTURE
    return None


def _bound(header: bytes, name: bytes, scope: bytes) -> bytes:
    return header + _LENGTH_OF_NAME(len(name)) + name + scope


def _subkey(master: bytes, salt: bytes) -> AESGCM:
    return AESGCM(_derived(master, salt, _SUBKEY_LABEL, KEY_BYTES))


def _derived(master: bytes, salt: bytes, label: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=salt, info=label).derive(master)
