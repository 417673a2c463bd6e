"""A real PostgreSQL for tests: the wheel `pgserver`'s programs, or else the system's.

The wheel's own Python interface is left alone: it adds a system user and waits by the second.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

NO_SERVER = "no PostgreSQL: neither the wheel pgserver nor /usr/lib/postgresql can be run here"
START_TIMEOUT_S = 30

# The shell's standard input is a pipe from the tests. When they end, however they end, it reads
# the end of the file, stops the server and removes its folder.
_UNTIL_WE_ARE_GONE = '"$@" & read -r _; kill -INT $!; wait $!; rm -rf "$0"'

_HBA = """\
local all pedkai trust
local all all scram-sha-256
"""
_SETTINGS = """\
listen_addresses = ''
unix_socket_directories = '{folder}'
fsync = off
full_page_writes = off
synchronous_commit = off
shared_buffers = 16MB
max_connections = 40
log_min_messages = fatal
"""


class NoPostgres(Exception):  # noqa: N818  (a thing that is not there, not an error)
    """There is no PostgreSQL on this machine that can be run."""


@dataclass(frozen=True, slots=True)
class Postgres:
    """A running server, reached over a unix socket by the superuser `pedkai` without a password.

    Every other role needs its password.
    """

    folder: Path
    programs: Path

    def url(self, database: str = "postgres", user: str = "pedkai", password: str = "") -> str:
        """The SQLAlchemy URL of one of its databases."""
        login = f"{user}:{quote(password)}" if password else user
        return f"postgresql+asyncpg://{login}@/{database}?host={quote(str(self.folder))}"


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server of one's own, with empty databases, stopped and removed at the end."""
    with made_postgres() as server, serving(server, and_remove=server.folder):
        yield server


@contextmanager
def made_postgres() -> Iterator[Postgres]:
    """One that is not running yet (`serving`), removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="pg", dir=_short_folder()))
    try:
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        yield Postgres(folder, _made_cluster(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def hung(server: Postgres) -> Iterator[None]:
    """Its processes are stopped (`SIGSTOP`): sockets stay open, and nothing answers."""
    postmaster = int((server.folder / "data" / "postmaster.pid").read_text().split()[0])
    stopped = []
    try:
        os.kill(postmaster, signal.SIGSTOP)  # first, so that no process joins the others
        stopped.append(postmaster)
        for process in _children(postmaster):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGSTOP)
                stopped.append(process)
        yield
    finally:
        for process in stopped:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGCONT)


def _children(parent: int) -> Iterator[int]:
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # "PID (NAME) STATE PARENT …", and a name may have spaces
            if int(status.read_text().rpartition(")")[2].split()[1]) == parent:
                yield int(status.parent.name)


def _short_folder() -> str | None:
    """The path of a unix socket has 107 bytes at most, and a TMPDIR may be longer than that."""
    return "/tmp" if os.access("/tmp", os.W_OK | os.X_OK) else None  # noqa: S108  (mkdtemp is safe)


def _made_cluster(folder: Path) -> Path:
    for programs in _candidates():
        command = [programs / "initdb", "-D", folder / "data", "-U", "pedkai", "--auth=trust"]
        command += ["--no-sync", "--no-instructions", "--encoding=UTF8", "--locale=C"]
        with suppress(OSError, subprocess.CalledProcessError):
            subprocess.run(
                command, check=True, capture_output=True, timeout=START_TIMEOUT_S, **_as_nobody()
            )
            (folder / "data" / "pg_hba.conf").write_text(_HBA)
            with (folder / "data" / "postgresql.conf").open("a") as settings:
                settings.write(_SETTINGS.format(folder=folder))
            return programs
        shutil.rmtree(folder / "data", ignore_errors=True)
    raise NoPostgres(NO_SERVER)


def _candidates() -> Iterator[Path]:
    wheel = importlib.util.find_spec("pgserver")
    if wheel is not None and wheel.origin is not None:
        yield Path(wheel.origin).parent / "pginstall" / "bin"
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


def _as_nobody() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    own: dict[str, Any] = {"cwd": "/", "env": {"PATH": os.defpath, "LC_ALL": "C"}}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        own |= {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    return own


@contextmanager
def serving(server: Postgres, *, and_remove: Path | None = None) -> Iterator[None]:
    """The server runs. `and_remove`: a folder that goes with it, however the tests end."""
    folder = server.folder
    program = [server.programs / "postgres", "-D", folder / "data"]
    gone = and_remove or folder / "nothing"
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            ["/bin/sh", "-c", _UNTIL_WE_ARE_GONE, gone, *program],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            start_new_session=True,  # Ctrl-C is for the tests, who then stop the server
            **_as_nobody(),
        )
    try:
        _wait_until_ready(folder)
        yield
    finally:
        process.communicate()  # closes the pipe, and waits for the shell


def _wait_until_ready(folder: Path) -> None:
    """The last line of `postmaster.pid` says so, as `pg_ctl` reads it."""
    give_up_at = time.monotonic() + START_TIMEOUT_S  # noqa: TID251  (a real process is waited for)
    state = folder / "data" / "postmaster.pid"
    while not (state.exists() and state.read_text().rstrip().endswith("ready")):
        if time.monotonic() > give_up_at:  # noqa: TID251  (a real process is waited for)
            said = (folder / "log").read_text(errors="replace").splitlines()[-1:]
            raise NoPostgres(f"PostgreSQL did not start: {' '.join(said)}")
        time.sleep(0.01)
