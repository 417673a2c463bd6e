"""Reading mounted files, with words for the operator and none of what is in them."""

from pathlib import Path

from pydantic import SecretStr

from adapters.outcome import LookupFailed, Reason

LARGEST_BYTES = 4 * 1024 * 1024
"""A system's trust bundle has about 250 KB."""


def read_bytes(path: str, what: str, reason: Reason) -> bytes:
    """The whole file. Raises `LookupFailed` with that reason, which says what is wrong with it."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        problem = f"cannot be read ({type(error).__name__})"
    else:
        if content.strip() and len(content) <= LARGEST_BYTES:
            return content
        problem = "is empty" if not content.strip() else "is too large"
    raise LookupFailed(reason, f"the {what} {path} {problem}")


def read_secret(path: str, what: str) -> SecretStr:
    """One line of text. Raises `LookupFailed(auth)`."""
    content = read_bytes(path, what, Reason.AUTH)
    try:
        return SecretStr(content.decode("utf-8").rstrip("\r\n"))
    except UnicodeDecodeError:
        pass  # the exception carries the secret along
    raise LookupFailed(Reason.AUTH, f"the {what} {path} is not UTF-8")
