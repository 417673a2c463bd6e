"""Why a question has no answer.

A reason is the sidecar's own word where it gave one (`breaker_open`, `deadline`, `unreachable`,
`auth`, …: those are about the vendor behind it), else one of the words here, which are about the
sidecar itself.
"""

from dataclasses import dataclass

SIDECAR_UNREACHABLE = "sidecar_unreachable"
"""Nobody listens there, or the connection broke."""
SIDECAR_TIMEOUT = "sidecar_timeout"
"""No whole answer came within the timeout."""
SIDECAR_REFUSED = "sidecar_refused"
"""The question was not let in: token, tenant, or what was asked. Somebody must mend it."""
SIDECAR_ERROR = "sidecar_error"
"""An answer of a kind that the sidecar does not give when it is well."""
SIDECAR_BAD_RESPONSE = "sidecar_bad_response"
"""An answer that keeps neither to the contract nor to what was asked."""
CLIENT_ERROR = "client_error"
"""The question could not even be put: what was handed in is no customer id, or a mistake here."""

TO_MEND = frozenset({SIDECAR_REFUSED, CLIENT_ERROR})
"""These do not pass by themselves, so they are logged as errors."""


@dataclass(frozen=True)
class Failure:
    """A question, or a part of one, that was not answered."""

    reason: str
    retry_after: float | None = None
    """Seconds after which asking again may help; `None`: not known."""
    detail: str = ""
    """For the log. Never holds an id, a fee or a secret."""
    too_large: bool = False
    """Fewer customers at once may be let in."""


class BSSUnavailable(Exception):  # noqa: N818  (what is the case; the name is part of the interface)
    """Nobody could say. It does not mean that there is no such customer, or no dispute."""

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        """`retry_after`: seconds, or `None` where nobody knows."""
        super().__init__(reason, retry_after)
        self.reason = reason
        self.retry_after = retry_after

    def __str__(self) -> str:
        again = "" if self.retry_after is None else f"; ask again after {self.retry_after:g} s"
        return f"nobody could say: {self.reason}{again}"
