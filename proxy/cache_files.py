"""The mounted files of a cache: its key rings, and who we are to Redis.

The last good ones serve on. Looking at them blocks, so it belongs in a thread.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from pydantic import SecretStr

from config import settings
from proxy.cache.keys import KeyRing, KeyRings, parse_ring
from proxy.credentials.files import READS, RawFile, RawSet, file_paths, read_file, read_set, settled
from proxy.credentials.loading import Loaded, load
from proxy.credentials.snapshot import Credentials
from proxy.telemetry.records import FileRecord

KEYS_REMEDY = (
    "write keys of 32 bytes in base64, one in a line, none of them twice or in both files; "
    "`bss-sidecar new-key` prints one"
)
_MASTER, _NAMES = "master keys", "name keys"


class KeyFiles:
    """Two files that make the rings, together."""

    def __init__(self, master: str, names: str) -> None:
        self._paths = (master, names)
        self.current: KeyRings | None = None
        """The last good ones; `None` until both files are good for the first time."""
        self.problems: tuple[FileRecord, ...] = ()
        """What is wrong with the files as they are now."""

    def paths(self) -> tuple[Path, ...]:
        return tuple(map(Path, self._paths))

    def look(self) -> bool:
        """Whether `current` is another one by it."""
        read = self._settled()
        rings, self.problems = _rings(*read)
        if rings is None or rings == self.current:
            return False
        self.current = rings
        return True

    def _settled(self) -> tuple[RawFile, RawFile]:
        """What two reads in a row agree on, or the last of some."""
        before = self._read()
        for _ in range(READS - 1):
            again = self._read()
            if again == before:
                break
            before = again
        return before

    def _read(self) -> tuple[RawFile, RawFile]:
        master, names = self._paths
        return read_file(master, _MASTER), read_file(names, _NAMES)


class LoginFiles:
    """Certificates and password for one Redis."""

    def __init__(self, setting: settings.Redis) -> None:
        self._setting = setting
        self._tls = setting.tls if is_secure(setting) else None
        self._latest: Loaded | None = None
        self.current: Credentials | None = None
        """The last good ones; `None` until all files are good for the first time."""

    @property
    def problems(self) -> tuple[FileRecord, ...]:
        """What is wrong, or may go wrong, with the files as they are now."""
        return tuple(self._problems())

    def paths(self) -> tuple[Path, ...]:
        password = self._setting.password_file
        return (*file_paths(self._tls, None), *([Path(password)] if password else []))

    def look(self, now: datetime) -> bool:
        """Whether `current` is another one by it."""
        files = settled(self._read)
        latest, good = self._latest, self.current
        if latest and latest.digest == files.digest and not latest.is_due(now):
            return False
        version = good.version + 1 if good else 1
        self._latest = loaded = load(files, now, version=version, protocols=())
        if loaded.credentials is None or (good and good.digest == loaded.digest):
            return False
        self.current = loaded.credentials
        return True

    def _read(self) -> RawSet:
        return replace(read_set(self._tls, None), client_secret=_password(self._setting))

    def _problems(self) -> Iterator[FileRecord]:
        if self._latest is None:
            return
        judgement = self._latest.judgement
        for found, serious in ((judgement.problems, True), (judgement.warnings, False)):
            for one in found:
                yield FileRecord(
                    kind="cache_login",
                    connection="-",
                    file=one.file,
                    what=f"the {one.role} of Redis {one.what}",
                    remedy=one.remedy,
                    serious=serious,
                )


def is_secure(setting: settings.Redis) -> bool:
    """Whether it is spoken to over TLS."""
    if setting.sentinels:
        return setting.tls is not None
    return (setting.url or "").casefold().startswith("rediss://")


def _password(setting: settings.Redis) -> RawFile | None:
    if setting.password_file is not None:
        return read_file(setting.password_file, "password")
    return None if setting.password is None else _of_environment(setting.password)


def _of_environment(password: SecretStr) -> RawFile:
    content = password.get_secret_value().encode(errors="surrogateescape")
    return RawFile("password", "of the environment", content)


def _rings(master: RawFile, names: RawFile) -> tuple[KeyRings | None, tuple[FileRecord, ...]]:
    """The rings, or what is wrong with which file."""
    rings = [_ring(file) for file in (master, names)]
    problems = [one for one in rings if isinstance(one, FileRecord)]
    good = [one for one in rings if isinstance(one, KeyRing)]
    if problems:
        return None, tuple(problems)
    try:
        return KeyRings(*good), ()
    except ValueError as error:
        return None, (_bad(names, str(error)),)


def _ring(file: RawFile) -> KeyRing | FileRecord:
    if file.problem:
        return _bad(file, f"the file of the {file.role} {file.problem}")
    try:
        return parse_ring(file.content)
    except ValueError as error:
        return _bad(file, f"{file.role}: {error}")  # words of ours, which quote nothing


def _bad(file: RawFile, what: str) -> FileRecord:
    return FileRecord(
        kind="cache_keys", connection="-", file=file.path, what=what, remedy=KEYS_REMEDY
    )
