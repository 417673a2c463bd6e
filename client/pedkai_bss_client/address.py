"""Where the sidecar listens: `http://127.0.0.1:8650`, or `unix:/path/to/its.sock`."""

from dataclasses import dataclass
from urllib.parse import urlsplit

DEFAULT_URL = "http://127.0.0.1:8650"


@dataclass(frozen=True)
class Address:
    root: str
    """What the paths of the questions are appended to."""
    socket: str | None = None
    """Path of the unix socket, where it is one."""

    @property
    def uses_tls(self) -> bool:
        return self.root.startswith("https:")


def address(url: str) -> Address:
    """Raises `ValueError`, without repeating the URL, for it may hold a password."""
    if url.startswith("unix:"):
        path = url.removeprefix("unix:").removeprefix("//")
        if not path.startswith("/"):
            raise ValueError("the sidecar's unix socket is written unix:/absolute/path")
        return Address("http://localhost", socket=path)
    parts = urlsplit(url)
    has_port = parts.port != 0  # raises ValueError where it is no port
    if (
        parts.scheme not in ("http", "https")
        or not parts.hostname
        or not has_port
        or "@" in parts.netloc
        or parts.query
        or parts.fragment
    ):
        raise ValueError("the sidecar's URL is written http://host:port or unix:/absolute/path")
    return Address(url.rstrip("/"))
