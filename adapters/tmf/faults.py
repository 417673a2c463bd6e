"""Faults in disguise: what a reply must look like to be an answer.

These checks run as `VendorRequest.verify`, inside the guard, so that a 200 which carries an error
counts against the vendor. Nothing of the vendor's text gets into an exception.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from adapters.exchange import VendorReply
from adapters.outcome import LookupFailed, Reason
from adapters.tmf.fields import is_row
from adapters.tmf.profile import Profile
from adapters.tmf.rows import id_of

_STANDARD = ("code", "reason")  # the two that TMF630 makes mandatory


def is_error(body: object, vendor_keys: Sequence[str] = ()) -> bool:
    """Whether a body is an error: the TM Forum's, or one with all keys of this vendor's own.

    `Fault` is what services of the older, non-TMF kind put into a 200.
    """
    if not is_row(body):
        return False
    if "Fault" in body or body.get("@type") == "Error":
        return True
    carried = {key for key, value in body.items() if value is not None}
    return carried.issuperset(_STANDARD) or (bool(vendor_keys) and carried.issuperset(vendor_keys))


def rows_in(reply: VendorReply, vendor_keys: Sequence[str] = ()) -> list[Any]:
    """The elements of a list answer, of whatever type.

    A single object with an id counts as a list of one. 204 is an empty list: it says outright
    that there is nothing, whereas a 200 without a body says nothing at all and is refused. 416 is
    the end of the pages. 404 is a wrong path: a filter that matches nothing gives an empty list.
    """
    if reply.status in (204, 416):
        return []
    body = reply.body
    if reply.status not in (200, 206):
        raise LookupFailed(Reason.BAD_RESPONSE, "no such resource: check the API's base URL")
    if isinstance(body, list):
        return body
    if is_error(body, () if id_of(body) else vendor_keys):
        raise LookupFailed(Reason.VENDOR_ERROR, "an error body in a success")
    if id_of(body):
        return [body]
    raise LookupFailed(Reason.BAD_RESPONSE, "neither a list nor a resource")


def is_missing(reply: VendorReply, profile: Profile) -> bool:
    """Whether the answer to a request *by id* says that there is no such resource."""
    if reply.status != 404:
        return False
    return not profile.missing_needs_error_body or is_error(reply.body, profile.error_keys)


@dataclass(frozen=True, slots=True)
class CheckList:
    """`VendorRequest.verify` of a list query."""

    profile: Profile = field(repr=False)

    def __call__(self, reply: VendorReply) -> None:
        rows_in(reply, self.profile.error_keys)


@dataclass(frozen=True, slots=True)
class CheckById:
    """`VendorRequest.verify` of a request by id."""

    profile: Profile = field(repr=False)
    asked: str = field(repr=False)

    def __call__(self, reply: VendorReply) -> None:
        check_by_id(reply, self.profile, asked=self.asked)


def check_by_id(reply: VendorReply, profile: Profile, *, asked: str) -> None:
    """An answer by id is the resource itself, or a 404 that means it."""
    if is_missing(reply, profile):
        return
    if reply.status == 404:
        raise LookupFailed(Reason.BAD_RESPONSE, "no such resource: check the API's base URL")
    if reply.status == 200 and id_of(reply.body) == asked:
        return
    if is_error(reply.body, profile.error_keys):
        raise LookupFailed(Reason.VENDOR_ERROR, "an error body in a success")
    raise LookupFailed(Reason.BAD_RESPONSE, "not the resource that was asked for by its id")
