"""The bearer token: in a file that the containers of the pod share, and that rotates."""

import re
from pathlib import Path
from stat import S_ISREG

_TOKEN = re.compile(rb"[\x21-\x7e]{1,4096}")


class TokenFile:
    """Read again when it has changed. As long as it can't be read, there is no token to send."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, ...] | None = None
        self._token: str | None = None
        self.problem = ""
        """Why there is no token, in words for the log; or empty."""

    def current(self) -> str | None:
        """The token as the file says it now. Looking costs a `stat`."""
        try:
            self._look()
        except OSError as error:
            self._seen = self._token = None
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
        is_one = _TOKEN.fullmatch(content) is not None
        self._token = content.decode("ascii") if is_one else None
        self.problem = "" if is_one else f"token file {self._path}: it holds no token"
