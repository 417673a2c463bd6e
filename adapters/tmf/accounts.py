"""The contract's account id. It must be a UUID; vendors write numbers and free strings."""

import re
from functools import lru_cache
from uuid import NAMESPACE_URL, UUID, uuid5

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def account_uuid(connection: str, vendor_id: str) -> UUID:
    """The stable UUID of a vendor's account.

    A UUID passes as it is. Anything else becomes a UUIDv5 in a namespace of the connection's own,
    so that equal account numbers of two vendors stay two accounts.
    """
    if _UUID.fullmatch(vendor_id):
        return UUID(vendor_id)
    return uuid5(_namespace(connection), vendor_id)


@lru_cache(maxsize=256)  # of few connections, and asked for with every customer
def _namespace(connection: str) -> UUID:
    return uuid5(NAMESPACE_URL, connection)
