"""The bearer token of the data listener: read from a file that the pod's containers share."""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path

from proxy.http.addresses import ListenerUnavailable

SHORTEST = 16
"""Characters. A shorter one is a mistake, such as an empty file."""
FORMER = 2
"""Tokens that are accepted beside the latest at most."""
MODE = 0o600
MODE_ANY_USER = 0o644
"""The containers of a pod seldom share a user; who may read is who mounts the folder."""
REMEDY = f"write one token of at least {SHORTEST} characters"


class _NoToken(Exception):  # noqa: N818  (says why there is none)
    """In words for the operator."""


@dataclass(frozen=True, slots=True)
class HeldToken:
    """A token, and until when it is accepted, on the event loop's clock."""

    value: bytes = field(repr=False)
    until: float = inf


def rotated(
    held: tuple[HeldToken, ...], latest: bytes, *, now: float, overlap_s: float
) -> tuple[HeldToken, ...]:
    """What is accepted once the file says `latest`: that, and for a while those before it.

    Whoever shares the file needs a moment to read it again; nor is half a written token, should
    it be read, the one that they still use.
    """
    alive = [one for one in held if now < one.until]
    if alive and alive[0].value == latest:
        return tuple(alive)
    former = [replace(one, until=min(one.until, now + overlap_s)) for one in alive]
    return (HeldToken(latest), *(one for one in former[:FORMER] if one.value != latest))


class TokenFile:
    """The tokens of a file that rotates. A bad or absent file leaves the last good token."""

    def __init__(self, path: Path, *, mode: int = MODE) -> None:
        self.path = path
        self.mode = mode
        """Of the file, where it is made."""
        self.problem = ""
        """What is wrong with the file as it is now, for the operator; or empty."""
        self._held: tuple[HeldToken, ...] = ()

    @property
    def latest(self) -> bytes | None:
        return self._held[0].value if self._held else None

    def look(self, *, now: float, overlap_s: float) -> tuple[bytes, ...]:
        """The tokens to accept, the latest first. Reads the file.

        Raises `ListenerUnavailable` as long as there has never been a good one.
        """
        if not self._held:
            self._held = (HeldToken(token(self.path, mode=self.mode)),)
        try:
            latest, self.problem = _read(self.path), ""
        except _NoToken as reason:
            latest, self.problem = self._held[0].value, str(reason)
        self._held = rotated(self._held, latest, now=now, overlap_s=overlap_s)
        return tuple(one.value for one in self._held)


def token(path: Path, *, mode: int = MODE) -> bytes:
    """The token in the file; where there is no file, a new one is written, with this mode.

    Raises `ListenerUnavailable`: a listener that should ask for a token never opens without one.
    """
    try:
        with suppress(FileExistsError):
            _write_new(path, mode)
        return _read(path)
    except OSError as error:
        raise ListenerUnavailable(f"token file {path}: {error.strerror}") from error
    except _NoToken as reason:
        raise ListenerUnavailable(f"token file {path}: {reason}; {REMEDY}, or remove it") from None


def _read(path: Path) -> bytes:
    try:
        content = path.read_bytes().strip()
    except OSError as error:
        raise _NoToken(f"it can't be read ({error.strerror})") from error
    if len(content) < SHORTEST or len(content.split()) != 1:
        raise _NoToken("it holds no token")
    return content


def _write_new(path: Path, mode: int) -> None:
    """Whole or not at all: a container that starts at the same time never reads half a token."""
    if path.exists():
        raise FileExistsError
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
        draft.chmod(mode)
        os.link(draft, path)
    finally:
        draft.unlink()
