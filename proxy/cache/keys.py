"""Key rings: secrets of one kind, of which the first seals and all of them open.

A key is put first when every sidecar has it, and leaves the ring when nothing it sealed is left:
so a ring is rotated while it is in use. What is wrong with a file is told in words of ours, which
never quote it.
"""

import os
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

KEY_BYTES = 32
"""AES-256, and as much for HMAC-SHA256."""
MOST_KEYS = 16
"""Of one ring: each key of the ring of names is one more read for every customer."""

Random: TypeAlias = Callable[[int], bytes]
"""Gives so many bytes that nobody can foretell."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Keys of 32 bytes, none of them twice."""

    keys: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if problem := _problem(self.keys):
            raise ValueError(problem)


@dataclass(frozen=True, slots=True)
class KeyRings:
    """The two rings of a cache. Whoever learns the keys of one has none of the other."""

    master: KeyRing
    """What seals entries."""
    names: KeyRing
    """What hides their names."""

    def __post_init__(self) -> None:
        if set(self.master.keys) & set(self.names.keys):
            raise ValueError("a key stands in both rings: one seals, another one hides names")


def parse_ring(content: bytes) -> KeyRing:
    """One key a line, in base64; blank lines and lines that begin with `#` are skipped.

    Raises `ValueError` in words for the operator.
    """
    keys = []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
        text = line.strip()
        if not text or text.startswith(b"#"):
            continue
        key = _decoded(text)
        if key is None:
            raise ValueError(f"line {number} is not base64")
        if len(key) != KEY_BYTES:
            raise ValueError(f"line {number} holds {len(key)} bytes: a key has {KEY_BYTES}")
        keys.append(key)
    return KeyRing(tuple(keys))


def new_key(random: Random = os.urandom) -> str:
    """A line for the file of a ring."""
    return b64encode(random(KEY_BYTES)).decode("ascii")


def new_rings(random: Random = os.urandom) -> KeyRings:
    """Keys that nobody else has, for a store that no other process sees."""
    return KeyRings(KeyRing((random(KEY_BYTES),)), KeyRing((random(KEY_BYTES),)))


def _decoded(text: bytes) -> bytes | None:
    try:
        return b64decode(text, validate=True)
    except NotBase64:
        return None


def _problem(keys: tuple[bytes, ...]) -> str:
    if not keys:
        return "there is no key"
    if any(len(key) != KEY_BYTES for key in keys):
        return f"a key has another length than {KEY_BYTES} bytes"
    if len(set(keys)) != len(keys):
        return "a key stands there twice"
    return f"there are more than {MOST_KEYS} keys" if len(keys) > MOST_KEYS else ""
