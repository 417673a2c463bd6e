"""The bearer token of the data listener: read from a file that the pod's containers share."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from proxy.http.addresses import ListenerUnavailable

SHORTEST = 16
"""Characters. A shorter one is a mistake, such as an empty file."""


def token(path: Path) -> bytes:
    """The token in the file; where there is no file, a new one is written (mode 0600).

    Raises `ListenerUnavailable`: a listener that should ask for a token never opens without one.
    """
    try:
        with suppress(FileExistsError):
            _write_new(path)
        content = path.read_bytes().strip()
    except OSError as error:
        raise ListenerUnavailable(f"token file {path}: {error.strerror}") from error
    if len(content) < SHORTEST or len(content.split()) != 1:
        raise ListenerUnavailable(
            f"token file {path}: write one token of at least {SHORTEST} characters, or remove it"
        )
    return content


def _write_new(path: Path) -> None:
    """Whole or not at all: a container that starts at the same time never reads half a token."""
    if path.exists():
        raise FileExistsError
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32))
        os.link(draft, path)
    finally:
        draft.unlink()
