"""What came back over a socket, read as strictly as RFC 9112 is written."""

import json
import re
from dataclasses import dataclass
from typing import Any

_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5][0-9]{2}) [\x20-\x7e]*")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ([\x20-\x7e]*)")
_BODYLESS = {100, 204, 304}
DESIGNED = {100, 200, 204, 400, 401, 403, 404, 405, 408, 413, 415, 417, 422, 503}


class NotHttpError(AssertionError):
    """What came is no sequence of answers."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> str:
        """Its type, or nothing."""
        if self.headers.get("content-type") != "application/problem+json":
            return ""
        told: dict[str, Any] = json.loads(self.body)
        return str(told["type"]).rpartition(":")[2]


def parsed(content: bytes, *, is_head: bool = False) -> tuple[list[Answer], bytes]:
    """Every whole answer, and what has come of the next one; `is_head`: to requests for heads."""
    answers = []
    while b"\r\n\r\n" in content:
        head, _, rest = content.partition(b"\r\n\r\n")
        status, headers = _head(head)
        length = 0 if status in _BODYLESS else _length(headers)
        if is_head or rest.startswith((b"HTTP/1.1 ", b"HTTP/1.0 ")):  # no body of ours begins so
            length = 0
        if len(rest) < length:
            break
        answer = Answer(status, headers, rest[:length])
        _judge(answer)
        answers.append(answer)
        content = rest[length:]
    return answers, content


def _head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.split(b"\r\n")
    if (status := _STATUS.fullmatch(first)) is None:
        raise NotHttpError(first[:100])
    headers: dict[str, str] = {}
    for line in lines:
        if (field := _FIELD.fullmatch(line)) is None:
            raise NotHttpError(line[:100])
        name = field[1].decode().lower()
        if name in headers:
            raise NotHttpError(f"{name} twice")
        headers[name] = field[2].decode()
    return int(status[1]), headers


def _length(headers: dict[str, str]) -> int:
    if "transfer-encoding" in headers or not headers.get("content-length", "").isdecimal():
        raise NotHttpError("an answer without a length")
    return int(headers["content-length"])


def _judge(answer: Answer) -> None:
    """It is one of the designed ones, and says what every answer says."""
    if answer.status not in DESIGNED:
        raise NotHttpError(f"{answer.status} is nothing that we say")
    if answer.status == 100:
        return
    for name, value in (("cache-control", "no-store"), ("server", "bss-sidecar")):
        if answer.headers.get(name) != value:
            raise NotHttpError(f"{name} is not {value}")
    if not answer.headers.get("x-correlation-id"):
        raise NotHttpError("no correlation id")
    if answer.status < 400 or not answer.body:
        return
    if answer.problem == "internal" or json.loads(answer.body)["status"] != answer.status:
        raise NotHttpError("a problem that is not its status")
