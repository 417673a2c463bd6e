"""What a request says, parsed in pure code. Whatever is sent, the worst outcome is a `Problem`."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import cast
from uuid import UUID

from multidict import CIMultiDictProxy

from adapters.uuids import uuid_of, uuids_of_bytes
from proxy.guard.switch import Forced
from proxy.http.problems import Problem, ProblemType, invalid, malformed

IDS = "customer_ids"
DEPTH = 32
"""A body nests no deeper; what is asked here needs two levels."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UUID_LENGTH = 36
_DASHES = (8, 13, 18, 23)
_UUID_DIGITS = _UUID_LENGTH - len(_DASHES)
_MILLISECONDS = re.compile(r"[0-9]{1,9}")
_JSON = re.compile(r'\s*application/json\s*(?:;\s*charset\s*=\s*"?utf-?8"?\s*)?', re.IGNORECASE)
_OPENING = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)


def customer_id(text: str) -> UUID:
    """The customer of a path. Only the form that the contract writes: 8-4-4-4-12, hexadecimal."""
    if not _UUID.fullmatch(text):
        raise invalid("the customer id in the path must be a UUID")
    return uuid_of(text)


def customer_ids(body: bytes, *, most: int) -> list[UUID]:
    """The ids of `{"customer_ids": [uuid, …]}`, in the order asked, duplicates included."""
    content = _json_object(body, of=IDS)
    if IDS not in content:
        raise invalid(f"{IDS} is missing", pointer="")
    if len(content) > 1:
        raise invalid(f"{IDS} is the only member", pointer="")
    ids = content[IDS]
    if not isinstance(ids, list):
        raise invalid("must be a list of UUIDs", pointer=f"/{IDS}")
    if len(ids) > most:
        # 413, like a body with too many bytes, and not 422: a caller has one rule, "too much, split
        # it", whichever of the two limits it meets first.
        raise Problem(
            ProblemType.TOO_LARGE,
            f"{most} customer ids are accepted in one batch",
            pointer=f"/{IDS}",
        )
    return _uuids(ids)


def forcing(body: bytes) -> tuple[str, Forced]:
    """Breaker and state of `{"force": "open" | "closed" | null, "breaker": "vendor"}`."""
    content = _json_object(body, of="force")
    if "force" not in content:
        raise invalid('force is missing: "open", "closed" or null', pointer="")
    if content.keys() - {"force", "breaker"}:
        raise invalid("force and breaker are the only members", pointer="")
    breaker = content.get("breaker", "vendor")
    if not isinstance(breaker, str):
        raise invalid("must be the name of a breaker", pointer="/breaker")
    match content["force"]:
        case "open":
            return breaker, "open"
        case "closed":
            return breaker, "closed"
        case None:
            return breaker, None
    raise invalid('must be "open", "closed" or null', pointer="/force")


def json_content(headers: "CIMultiDictProxy[str]") -> None:
    """Raises unless the content is plain JSON: `application/json`, in UTF-8, not compressed."""
    kinds = headers.getall("Content-Type", [])
    if len(kinds) != 1 or not _JSON.fullmatch(kinds[0]):
        raise Problem(
            ProblemType.MEDIA_TYPE,
            "send Content-Type: application/json, in UTF-8",
            headers={"Accept": "application/json"},
        )
    if headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise Problem(
            ProblemType.MEDIA_TYPE,
            "send the body without a Content-Encoding",
            headers={"Accept-Encoding": "identity"},
        )


def budget_s(headers: "CIMultiDictProxy[str]", longest_s: float) -> float:
    """Seconds that the answer may take. `X-Request-Timeout-Ms` can only shorten it."""
    values = headers.getall("X-Request-Timeout-Ms", None)
    if values is None:
        return longest_s
    if len(values) > 1 or not _MILLISECONDS.fullmatch(values[0]) or int(values[0]) == 0:
        raise malformed("X-Request-Timeout-Ms must be one whole number of milliseconds, above 0")
    return min(longest_s, int(values[0]) / 1000)


def tenant(headers: "CIMultiDictProxy[str]", default: str | None) -> str:
    """The tenant that the caller names; the default one only for a caller that names none."""
    values = headers.getall("X-Tenant-ID", [])
    if len(values) == 1:
        return values[0]
    if values:
        raise Problem(ProblemType.UNKNOWN_TENANT, "X-Tenant-ID must name one tenant")
    if default is None:
        raise Problem(
            ProblemType.TENANT_NEEDED, "send X-Tenant-ID; no default tenant is configured"
        )
    return default


def _json_object(body: bytes, *, of: str) -> Mapping[str, object]:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise malformed("the body must be JSON in UTF-8") from None
    _check_depth(text)
    try:
        content = _DECODER.decode(text)
    except ValueError:
        # The decoder's own message quotes the body.
        raise malformed("the body must be JSON") from None
    if not isinstance(content, dict):
        raise invalid(f"must be an object with {of}", pointer="")
    return content


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= DEPTH:
        return
    depth = 0
    for token in _OPENING.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(token.group(), 0)
        if depth > DEPTH:
            raise malformed(f"the body nests deeper than {DEPTH} levels")


def _members(pairs: Sequence[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        # Parsers differ in which of two equal names wins, so neither does (RFC 7493, section 2.3).
        raise malformed("a member of the body comes twice")
    return members


def _no_constant(_name: str) -> object:
    raise malformed("NaN and Infinity are not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_members, parse_constant=_no_constant, parse_int=len)


def _uuids(items: Sequence[object]) -> list[UUID]:
    """All are looked at in one go, and one by one only to say which of them is wrong."""
    octets = _octets(items)
    if octets is not None:
        return uuids_of_bytes(octets)
    return [_uuid_at(index, item) for index, item in enumerate(items)]


def _octets(items: Sequence[object]) -> bytes | None:
    """What is written down as UUIDs of 8-4-4-4-12 digits; `None`: something else is among them."""
    if any(kind is not str for kind in {*map(type, items)}):
        return None
    texts = cast("Sequence[str]", items)
    if any(length != _UUID_LENGTH for length in {*map(len, texts)}):
        return None
    together, dashes = "".join(texts), "-" * len(texts)
    if any(together[at::_UUID_LENGTH] != dashes for at in _DASHES):
        return None
    digits = together.replace("-", "")
    try:
        octets = bytes.fromhex(digits)
    except ValueError:
        return None
    # `fromhex` skips white space, and more dashes than there should be are fewer digits.
    return octets if 2 * len(octets) == _UUID_DIGITS * len(texts) else None


def _uuid_at(index: int, item: object) -> UUID:
    if not isinstance(item, str) or not _UUID.fullmatch(item):
        raise invalid("must be a UUID", pointer=f"/{IDS}/{index}")
    return UUID(item)
