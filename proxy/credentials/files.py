"""Reading mounted files, with words for the operator and none of what is in them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from hashlib import blake2b
from pathlib import Path
from secrets import token_bytes

from pydantic import SecretStr

from config.settings import ClientTls, OAuth2

LARGEST_BYTES = 4 * 1024 * 1024
"""A system's trust bundle has about 250 KB."""
READS = 8
"""Attempts at two reads that agree. A swap is over within one."""

_DIGEST_KEY = token_bytes(32)
"""A plain digest would let a short secret be guessed from a dump of the status."""


@dataclass(frozen=True, slots=True)
class RawFile:
    """What one file held, or why it could not be read."""

    role: str
    """What it is to us, as `client key`."""
    path: str
    content: bytes = field(default=b"", repr=False)
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RawSet:
    """Everything that makes one version of the credentials, as it was at one moment."""

    certificate: RawFile | None = None
    key: RawFile | None = None
    trust_bundle: RawFile | None = None
    client_secret: RawFile | None = None
    signing_key: RawFile | None = None
    settled: bool = True
    """Whether two reads in a row found the same."""

    @property
    def files(self) -> tuple[RawFile, ...]:
        named = (
            self.certificate,
            self.key,
            self.trust_bundle,
            self.client_secret,
            self.signing_key,
        )
        return tuple(file for file in named if file is not None)

    @property
    def digest(self) -> str:
        """The same for the same contents, within this process."""
        total = blake2b(key=_DIGEST_KEY, digest_size=16)
        for file in self.files:
            for part in (file.role, file.path, file.problem):
                total.update(part.encode(errors="surrogateescape") + b"\0")
            total.update(len(file.content).to_bytes(8) + file.content)
        return total.hexdigest()


def read_set(tls: ClientTls | None, oauth2: OAuth2 | None) -> RawSet:
    """Every file that is named, read until two reads in a row agree. Blocks; never raises."""
    return settled(partial(_read_once, tls, oauth2))


def settled(read: Callable[[], RawSet]) -> RawSet:
    """What two reads in a row agree on; after `READS` the last one, marked as not settled."""
    before = read()
    for _ in range(READS - 1):
        again = read()
        if again == before:
            return again
        before = again
    return replace(before, settled=False)


def file_paths(tls: ClientTls | None, oauth2: OAuth2 | None) -> tuple[Path, ...]:
    """The files that `read_set` reads, each once."""
    named = [tls.certificate_file, tls.key_file, tls.trust_bundle_file] if tls else []
    named += [oauth2.client_secret_file, oauth2.signing_key_file] if oauth2 else []
    return tuple(dict.fromkeys(Path(one) for one in _given(named)))


def read_file(path: str, role: str) -> RawFile:
    """The whole file, or what is wrong with it. Never raises."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except (OSError, ValueError) as error:
        return RawFile(role, path, problem=f"cannot be read ({type(error).__name__})")
    if len(content) > LARGEST_BYTES:
        return RawFile(role, path, problem="is too large")
    return RawFile(role, path, content, problem="" if content.strip() else "is empty")


def _read_once(tls: ClientTls | None, oauth2: OAuth2 | None) -> RawSet:
    tls = tls or ClientTls()
    key_file = tls.key_file or tls.certificate_file
    return RawSet(
        certificate=_named(tls.certificate_file, "client certificate"),
        key=_named(key_file, "client key") if tls.certificate_file else None,
        trust_bundle=_named(tls.trust_bundle_file, "trust bundle"),
        client_secret=_client_secret(oauth2) if oauth2 else None,
        signing_key=_named(oauth2.signing_key_file, "signing key") if oauth2 else None,
    )


def _named(path: str | None, role: str) -> RawFile | None:
    return read_file(path, role) if path else None


def _client_secret(oauth2: OAuth2) -> RawFile | None:
    if oauth2.client_secret_file:
        return read_file(oauth2.client_secret_file, "client secret")
    return _from_environment(oauth2.client_secret) if oauth2.client_secret is not None else None


def _from_environment(secret: SecretStr) -> RawFile:
    content = secret.get_secret_value().encode(errors="surrogateescape")
    problem = "" if content.strip() else "is empty"
    return RawFile("client secret", "of the environment", content, problem)


def _given(paths: Iterable[str | None]) -> Iterable[str]:
    return (path for path in paths if path)
