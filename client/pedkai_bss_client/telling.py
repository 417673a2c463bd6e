"""What is logged: reasons, counts, correlation ids. No customer, no fee, no token."""

import logging
from collections.abc import Sequence

from pedkai_bss_client.answer import Degraded
from pedkai_bss_client.failure import CLIENT_ERROR, TO_MEND, Failure
from pedkai_bss_client.merging import Part

log = logging.getLogger("pedkai_bss_client")


def tell(
    name: str, parts: Sequence[Part[object]], degraded: Degraded | None, correlation_id: str
) -> None:
    """One line for a question that is not answered live, and none for one that is.

    ERROR: it stays so until somebody mends it. WARNING: the sidecar did not answer. INFO: it did,
    and its own log says more.
    """
    if degraded is None:
        return
    failures = [part.outcome for part in parts if isinstance(part.outcome, Failure)]
    to_mend = next((one for one in failures if one.reason in TO_MEND), None)
    told = to_mend or next(iter(failures), None)
    level = logging.WARNING if failures else logging.INFO
    if to_mend is not None or degraded.reason == CLIENT_ERROR:
        level = logging.ERROR
    log.log(
        level,
        "%s: nobody could say about %d customers: %s%s; correlation id %s",
        name,
        degraded.unavailable,
        degraded.reason if told is None else told.reason,
        f" ({told.detail})" if told is not None and told.detail else "",
        correlation_id,
    )
