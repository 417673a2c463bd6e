"""The admin listener of a sidecar that serves, asked by the command line.

It works in a container that has nothing but the sidecar.
"""

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from config.addresses import bracketed, split_url
from config.settings import AdminListener
from proxy.configuration import read_configuration
from proxy.http import SERVER

EXIT_REFUSED: Final = 1
EXIT_WRONG_COMMAND: Final = 2
EXIT_UNAVAILABLE: Final = 69  # EX_UNAVAILABLE of sysexits.h
_WITHIN_S = 5.0
_MOST_BYTES = 16 * 1024 * 1024


class Refused(Exception):  # noqa: N818  (an answer, not an error of ours)
    """The sidecar said no, or there is none; in words for the operator."""

    def __init__(self, words: str, code: int) -> None:
        super().__init__(words)
        self.code = code


class AdminClient:
    """The admin listener of one that serves. No proxy of the environment's is on the way."""

    def __init__(self, host: str, port: int) -> None:
        self._host = host
        self._port = port

    def ask(self, method: str, path: str, content: object = None) -> dict[str, Any]:
        """The answer to a request. Raises `Refused`."""
        connection = http.client.HTTPConnection(self._host, self._port, timeout=_WITHIN_S)
        sent = None if content is None else json.dumps(content)
        headers = {} if sent is None else {"Content-Type": "application/json"}
        try:
            connection.request(method, path, body=sent, headers=headers)
            reply = connection.getresponse()
            text = reply.read(_MOST_BYTES)
        except (OSError, http.client.HTTPException) as error:
            raise Refused(
                f"no sidecar answers at {self} ({type(error).__name__}). Is it running, and in "
                "this pod? --admin URL or --file CONFIG says where its admin listener is",
                EXIT_UNAVAILABLE,
            ) from None
        finally:
            connection.close()
        try:
            answer = json.loads(text)
        except ValueError:
            answer = None
        if not isinstance(answer, dict) or reply.getheader("Server") != SERVER:
            raise Refused(f"what answers at {self} is no sidecar", EXIT_UNAVAILABLE)
        if reply.status != http.client.OK:
            said = ": ".join(str(answer[key]) for key in ("title", "detail") if key in answer)
            raise Refused(said or f"the answer was {reply.status}", EXIT_REFUSED)
        return answer

    def __str__(self) -> str:
        return f"http://{bracketed(self._host)}:{self._port}"


def admin_address(admin: str | None, file: Path | None, env: Mapping[str, str]) -> tuple[str, int]:
    """Host and port of the admin listener, as named, or as the configuration says."""
    if admin is not None:
        parts = split_url(admin)
        if parts is None or parts.scheme != "http" or parts.hostname is None:
            raise Refused("--admin is a URL such as http://127.0.0.1:8652", EXIT_WRONG_COMMAND)
        return parts.hostname, parts.port or AdminListener().port
    listener = AdminListener()
    if file is not None:
        listener = read_configuration(file, env=env, lenient=True).doors.listeners.admin
    if not listener.port:
        raise Refused(
            "the configuration lets the admin listener take any free port; the log's line "
            "`listening` has it: --admin http://127.0.0.1:PORT",
            EXIT_WRONG_COMMAND,
        )
    return listener.host, listener.port
