"""Whose customers are asked about, and the id that follows a question through every log."""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from uuid import uuid4

current_tenant: ContextVar[str | None] = ContextVar("pedkai_bss_tenant", default=None)
"""The tenant of what is being worked on, for adapters that were not made for one."""
current_correlation_id: ContextVar[str | None] = ContextVar(
    "pedkai_bss_correlation_id", default=None
)
"""The correlation id of what is being worked on; a new one is made where there is none."""

_TENANT = re.compile(r"[a-z][a-z0-9_]{2,99}")
_NOT_ALLOWED = re.compile(r"[^A-Za-z0-9._~:/+=@-]+")
_LENGTH = 128


@dataclass(frozen=True)
class Context:
    """In whose name a question is asked."""

    tenant: str | None
    """`None`: the sidecar's default tenant, if it has one."""
    correlation_id: str

    @property
    def tenant_is_valid(self) -> bool:
        """A tenant that is none never travels in a header."""
        return self.tenant is None or bool(_TENANT.fullmatch(self.tenant))


def context(tenant: str | None, own_tenant: str | None, correlation_id: str | None) -> Context:
    """The first that is given: the call's argument, the adapter's own, the context variable.

    An adapter that was made for one tenant never asks for another one by accident.
    """
    given = tenant or own_tenant or current_tenant.get()
    known = str(correlation_id or current_correlation_id.get() or "")
    return Context(
        tenant=None if given is None else str(given),
        correlation_id=_NOT_ALLOWED.sub("", known)[:_LENGTH] or uuid4().hex,
    )
