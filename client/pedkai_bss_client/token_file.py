"""The bearer token: in a file that the containers of the pod share, and that rotates."""

import re
from pathlib import Path
from stat import S_ISREG

_TOKEN = re.compile(rb"[\x21-\x7e]{1,4096}")


class TokenFile:
    """Read again when it has changed. A bad or absent file leaves the last good token."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._token: str | None = None
        self.former: str | None = None
        """The one before it: for a moment the sidecar may not have read the new one either."""
        self.problem = ""
        """What is wrong with the file as it is now, in words for the log; or empty."""

    def current(self) -> str | None:
        """The token as the file says it now. Looking costs a `stat`."""
        try:
            self._look()
        except OSError as error:
            self._seen = None
            self.problem = f"token file {self._path}: {error.strerror or error}"
        return self._token

    def anew(self) -> str | None:
        """The token, read again even if the file looks as it did."""
        self._seen = None
        return self.current()

    def _look(self) -> None:
        found = self._path.stat()
        if not S_ISREG(found.st_mode):  # opening a pipe could take for ever
            raise OSError("it is no regular file")
        seen = (found.st_mtime_ns, found.st_ino, found.st_dev, found.st_size)
        if seen != self._seen:
            self._read()
            self._seen = seen

    def _read(self) -> None:
        with self._path.open("rb") as file:
            content = file.read(8192).strip()
        if not _TOKEN.fullmatch(content):
            raise OSError("it holds no token")
        token = content.decode("ascii")
        if token != self._token:
            self.former, self._token = self._token, token
        self.problem = ""
