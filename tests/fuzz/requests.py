"""Requests as bytes: well-formed ones, hostile ones, and ones that chance has spoilt."""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.fuzz.target import KNOWN, TENANT, Target

IDS = json.dumps({"customer_ids": [str(KNOWN)]}).encode()
_JSON = b"Content-Type: application/json"
_BOTH = (b"Content-Length: 5", b"Transfer-Encoding: chunked")
_SMUGGLED = b"0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n"
_CHUNKED = b"5\r\nabcde\r\n0\r\n\r\n"


def message(
    first: bytes, *fields: bytes, body: bytes = b"", token: str | None = None, host: bool = True
) -> bytes:
    own = [b"Host: localhost"] if host else []
    if token is not None:
        own.append(f"Authorization: Bearer {token}".encode())
    return b"\r\n".join([first, *own, *fields, b"", body])


def valid(victim: Target) -> Mapping[str, Sequence[bytes]]:
    """By listener; each is answered."""
    tenant, content = f"X-Tenant-ID: {TENANT}".encode(), b"Content-Type: application/json"
    length = b"Content-Length: %d" % len(IDS)
    chunks = b"%x\r\n%b\r\n0\r\n\r\n" % (len(IDS), IDS)
    chunked = b"Transfer-Encoding: chunked"
    customer, token = f"/v1/customers/{KNOWN}".encode(), victim.token
    return {
        "data": [
            message(b"GET %b/billing-account HTTP/1.1" % customer, tenant, token=token),
            message(
                b"POST /v1/revenue-at-risk HTTP/1.1",
                *(tenant, content, length),
                body=IDS,
                token=token,
            ),
            message(
                b"POST /v1/disputes HTTP/1.1", tenant, content, chunked, body=chunks, token=token
            ),
            message(b"DELETE %b/cache HTTP/1.1" % customer, tenant, content, token=token),
        ],
        "ops": [
            message(b"GET /healthz HTTP/1.1"),
            message(b"GET /readyz HTTP/1.1", b"Accept: */*"),
        ],
        "admin": [
            message(b"GET /v1/status HTTP/1.1"),
            message(
                b"POST /v1/connections/mock/breaker HTTP/1.1",
                content,
                b"Content-Length: 14",
                body=b'{"force": nul}',
            ),
        ],
    }


@dataclass(frozen=True, slots=True)
class _Form:
    """What hostile requests to one listener are made of."""

    path: bytes
    token: str | None

    @property
    def get(self) -> bytes:
        return b"GET %b HTTP/1.1" % self.path

    @property
    def post(self) -> bytes:
        return b"POST %b HTTP/1.1" % self.path

    def __call__(self, first: bytes, *fields: bytes, body: bytes = b"", host: bool = True) -> bytes:
        return message(first, *fields, body=body, token=self.token, host=host)


def hostile(victim: Target, path: bytes) -> Mapping[str, bytes]:
    """What somebody sends who knows HTTP and means no good; to any listener."""
    form = _Form(path, victim.token)
    kinds = (_lengths, _chunks, _long, _twice, _raw, _strange, _bodies)
    return {name: content for kind in kinds for name, content in kind(form).items()}


def _lengths(form: _Form) -> Mapping[str, bytes]:
    """Where a body ends, said in two ways or in none."""
    return {
        "two lengths": form(
            form.post, _JSON, b"Content-Length: 5", b"Content-Length: 6", body=b"a"
        ),
        "two equal lengths": form(form.post, _JSON, *[b"Content-Length: 5"] * 2, body=b"abcde"),
        "a list of lengths": form(form.post, _JSON, b"Content-Length: 5, 5", body=b"abcde"),
        "length and chunks": form(form.post, _JSON, *_BOTH, body=_SMUGGLED),
        "chunks and length": form(form.post, _JSON, *_BOTH[::-1], body=_SMUGGLED),
        "chunked twice": form(form.post, _JSON, *[_BOTH[1]] * 2, body=_CHUNKED),
        "chunked, then identity": form(
            form.post, _JSON, b"Transfer-Encoding: chunked, identity", body=_CHUNKED
        ),
        "a strange coding": form(form.post, _JSON, b"Transfer-Encoding: xchunked", body=_CHUNKED),
        "a hidden coding": form(form.post, _JSON, b"Transfer-Encoding : chunked", body=_CHUNKED),
        "a tab before it": form(form.post, _JSON, b"Transfer-Encoding:\tchunked", body=_CHUNKED),
        "chunks in HTTP/1.0": form(b"POST %b HTTP/1.0" % form.path, _JSON, _BOTH[1], body=_CHUNKED),
        "a negative length": form(form.post, _JSON, b"Content-Length: -1", body=b"abcde"),
        "a signed length": form(form.post, _JSON, b"Content-Length: +5", body=b"abcde"),
        "a length with a line": form(form.post, _JSON, b"Content-Length: 1_0", body=b"abcde"),
        "a length of other digits": form(
            form.post, _JSON, "Content-Length: \N{ARABIC-INDIC DIGIT FIVE}".encode(), body=b"abcde"
        ),
        "an absurd length": form(form.post, _JSON, b"Content-Length: " + b"9" * 400, body=b"abcde"),
        "an endless length": form(
            form.post, _JSON, b"Content-Length: 99999999999999", body=b"a" * 70_000
        ),
        "more than it says": form(form.post, _JSON, b"Content-Length: 2", body=b"{}" * 9),
        "a huge body": form(form.post, _JSON, b"Content-Length: 300000", body=b"a" * 300_000),
    }


def _chunks(form: _Form) -> Mapping[str, bytes]:
    """Chunks, and what comes with them."""
    return {
        "huge chunks": form(
            form.post, _JSON, _BOTH[1], body=b"".join([b"4000\r\n%b\r\n" % (b"a" * 0x4000)] * 16)
        ),
        "a huge extension": form(
            form.post, _JSON, _BOTH[1], body=b"5;" + b"x" * 200_000 + b"\r\nabcde\r\n0\r\n\r\n"
        ),
        "many extensions": form(
            form.post, _JSON, _BOTH[1], body=b"1" + b";a=b" * 1_500 + b"\r\na\r\n0\r\n\r\n"
        ),
        "a negative chunk": form(form.post, _JSON, _BOTH[1], body=b"-1\r\nabcde\r\n0\r\n\r\n"),
        "an absurd chunk": form(form.post, _JSON, _BOTH[1], body=b"f" * 40 + b"\r\nabcde\r\n"),
        "a chunk that ends in LF": form(form.post, _JSON, _BOTH[1], body=b"5\nabcde\n0\n\n"),
        "many trailers": form(
            form.post, _JSON, _BOTH[1], body=b"0\r\n" + b"x: y\r\n" * 5_000 + b"\r\n"
        ),
        "a trailer that matters": form(
            form.post, _JSON, _BOTH[1], body=b"0\r\nContent-Length: 50\r\nX-Tenant-ID: a\r\n\r\n"
        ),
    }


def _long(form: _Form) -> Mapping[str, bytes]:
    """More than anybody needs."""
    return {
        "a long path": form(b"GET /" + b"a" * 100_000 + b" HTTP/1.1"),
        "a long query": form(b"GET %b?%b HTTP/1.1" % (form.path, b"a=b&" * 1_500)),
        "a long field": form(form.get, b"X-Long: " + b"a" * 100_000),
        "a long name": form(form.get, b"x" * 100_000 + b": a"),
        "a long correlation id": form(form.get, b"X-Correlation-ID: " + b"a" * 7_000),
        "many fields": form(form.get, *(b"X-%d: y" % one for one in range(5_000))),
        "many long fields": form(form.get, *[b"X-Y: " + b"z" * 7_000] * 100),
    }


def _twice(form: _Form) -> Mapping[str, bytes]:
    """Whom it is for, said twice or elsewhere."""
    return {
        "two hosts": form(form.get, b"Host: example.com"),
        "no host": form(form.get, host=False),
        "an empty host": form(form.get, b"Host:", host=False),
        "a foreign host": form(form.get, b"Host: example.com", host=False),
        "a host with user": form(form.get, b"Host: localhost@example.com", host=False),
        "two tenants": form(form.get, b"X-Tenant-ID: a", b"X-Tenant-ID: b"),
        "two tokens": form(form.get, b"Authorization: Bearer a", b"Authorization: Bearer b"),
        "two types": form(form.post, _JSON, b"Content-Type: text/plain", b"Content-Length: 0"),
        "absolute": form(b"GET http://localhost%b HTTP/1.1" % form.path),
        "absolute elsewhere": form(b"GET http://example.com%b HTTP/1.1" % form.path),
        "absolute, secure": form(b"GET https://example.com:1%b HTTP/1.1" % form.path),
        "absolute, broken": form(b"GET http://[::1%b HTTP/1.1" % form.path),
        "a bad port": form(b"GET http://localhost:99999999%b HTTP/1.1" % form.path),
        "authority": form(b"CONNECT example.com:443 HTTP/1.1"),
        "asterisk": form(b"OPTIONS * HTTP/1.1"),
        "no slash": form(b"GET v1 HTTP/1.1"),
        "two slashes": form(b"GET //example.com/%2e%2e/ HTTP/1.1"),
        "up": form(b"GET /../../etc/passwd HTTP/1.1"),
        "encoded": form(b"GET /v1/customers/%00%ff%2f%0d%0a/billing-account HTTP/1.1"),
        "broken encoding": form(b"GET /v1/%zz/% HTTP/1.1"),
        "a fragment": form(b"GET %b#here HTTP/1.1" % form.path),
    }


def _raw(form: _Form) -> Mapping[str, bytes]:
    """Bytes that have no place there."""
    return {
        "raw bytes in the path": form(b"GET /\xff\xfe\x80 HTTP/1.1"),
        "raw bytes in a field": form(
            form.get, b"X-Tenant-ID: \xff\xfe\x80", b"X-Correlation-ID: \xe9"
        ),
        "raw bytes in a name": form(form.get, b"X-\xff: a"),
        "raw bytes in the body": form(form.post, _JSON, b"Content-Length: 3", body=b"\xff\xfe\x80"),
        "NUL in the path": form(b"GET /\x00 HTTP/1.1"),
        "NUL in a field": form(form.get, b"X-Tenant-ID: a\x00b"),
        "NUL in a name": form(form.get, b"X-\x00: a"),
        "a bare CR": form(form.get, b"X-A: b\rX-C: d"),
        "a bare LF": form(form.get, b"X-A: b\nX-C: d"),
        "LF only": form(form.get).replace(b"\r\n", b"\n"),
        "CR only": form(form.get).replace(b"\r\n", b"\r"),
        "a folded field": form(form.get, b"X-A: b\r\n c"),
        "a field without a colon": form(form.get, b"X-A"),
        "a field without a name": form(form.get, b": a"),
        "a space before the colon": form(form.get, b"Host : a"),
        "a space first": b" " + form(form.get),
        "lines first": b"\r\n\r\n\r\n" + form(form.get),
    }


def _strange(form: _Form) -> Mapping[str, bytes]:
    """First lines of their own kind."""
    return {
        "an absurd method": form(b"A" * 5_000 + b" %b HTTP/1.1" % form.path),
        "a lower method": form(b"get %b HTTP/1.1" % form.path),
        "a strange method": form(b"!#$%%&'*+.^_`|~ %b HTTP/1.1" % form.path),
        "a broken method": form(b"G(T %b HTTP/1.1" % form.path),
        "TRACE": form(b"TRACE %b HTTP/1.1" % form.path),
        "PRI": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(256)),
        "SSH": b"SSH-2.0-OpenSSH_9.6\r\n",
        "version 0.9": b"GET %b\r\n" % form.path,
        "version 1.0": form(b"GET %b HTTP/1.0" % form.path),
        "version 2": form(b"GET %b HTTP/2.0" % form.path),
        "version 1.10": form(b"GET %b HTTP/1.10" % form.path),
        "version 999": form(b"GET %b HTTP/9.99" % form.path),
        "no version": form(b"GET %b" % form.path),
    }


def _bodies(form: _Form) -> Mapping[str, bytes]:
    """What should not be expected, unpacked or read."""
    return {
        "an upgrade": form(form.get, b"Connection: Upgrade", b"Upgrade: websocket")
        + b"\x81\x05hello",
        "an upgrade, then a request": form(form.get, b"Connection: Upgrade", b"Upgrade: h2c")
        + form(form.get),
        "an expectation": form(form.post, _JSON, b"Expect: 200-ok", b"Content-Length: 5"),
        "100-continue": form(
            form.post, _JSON, b"Expect: 100-continue", b"Content-Length: 2", body=b"{}"
        ),
        "a packed body": form(
            form.post, _JSON, b"Content-Encoding: gzip", b"Content-Length: 2", body=b"\x1f\x8b"
        ),
        "a deep body": form(form.post, _JSON, b"Content-Length: 60000", body=b"[" * 60_000),
        "many numbers": form(
            form.post,
            _JSON,
            b"Content-Length: 60017",
            body=b'{"customer_ids":1' + b"1" * 59_999 + b"}",
        ),
        "nothing": b"\r\n",
        "noise": random.Random(7).randbytes(5_000),
        "zeros": bytes(5_000),
    }


Spoil = Callable[[random.Random, bytes], bytes]


def _flip(dice: random.Random, content: bytes) -> bytes:
    at = dice.randrange(len(content))
    return content[:at] + bytes([content[at] ^ (1 << dice.randrange(8))]) + content[at + 1 :]


def _insert(dice: random.Random, content: bytes) -> bytes:
    at = dice.randrange(len(content))
    odd = [
        b"\0",
        b"\r",
        b"\n",
        b"\r\n",
        b"\r\n\r\n",
        b" ",
        b":",
        b"\xff",
        b"%",
        b"\t",
        b"a" * 9_000,
    ]
    return content[:at] + dice.choice(odd) + content[at:]


def _cut(dice: random.Random, content: bytes) -> bytes:
    begin = dice.randrange(len(content))
    return content[:begin] + content[begin + dice.randrange(1, 30) :]


def _repeat(dice: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\r\n")
    at = dice.randrange(len(lines))
    return b"\r\n".join(
        [*lines[: at + 1], *[lines[at]] * dice.choice([1, 2, 200]), *lines[at + 1 :]]
    )


def _swap(dice: random.Random, content: bytes) -> bytes:
    lines = content.split(b"\r\n")
    dice.shuffle(lines)
    return b"\r\n".join(lines)


def _noise(dice: random.Random, content: bytes) -> bytes:
    at = dice.randrange(len(content))
    return content[:at] + dice.randbytes(dice.randrange(1, 40)) + content[at:]


SPOILS: Sequence[Spoil] = (_flip, _flip, _insert, _cut, _repeat, _swap, _noise)


def spoilt(dice: random.Random, requests: Sequence[bytes], many: int) -> Iterator[bytes]:
    """One to three requests one behind the other, spoilt in one to four ways."""
    for _ in range(many):
        content = b"".join(dice.choices(requests, k=dice.choice([1, 1, 2, 3])))
        for _ in range(dice.choice([1, 1, 2, 4])):
            content = dice.choice(SPOILS)(dice, content) or b"\r\n"
        yield content
