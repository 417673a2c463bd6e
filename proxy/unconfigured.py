"""What stands where there is nothing usable: it answers, and says that nobody could."""

import re
from collections.abc import Mapping, Sequence
from typing import Final, NoReturn
from uuid import UUID

from adapters.call import Call
from adapters.identity import IdentityMap, VendorIds
from adapters.lookup import LookupAdapter
from adapters.outcome import Billing, Dispute, Learn, LookupFailed, Reason
from config.settings import Deadlines, Limits
from proxy.guard.switch import Forced
from proxy.http.ports import Desk, NoSuchThing
from proxy.lifecycle import Leases
from proxy.lookup.fail_open import Spawn
from proxy.lookup.failures import Report
from proxy.pipeline import lookup_stack
from proxy.telemetry.records import (
    BreakerRecord,
    CacheRecord,
    CertificateRecord,
    CredentialsRecord,
    FileRecord,
    GuardRecord,
)

_TENANT = re.compile(r"[a-z][a-z0-9_]{2,99}")


class Unconfigured(LookupAdapter):
    """Stands where there is no adapter: nobody can say, because nothing says whom to ask."""

    source = "unavailable"
    is_estimate = True

    async def look_up_billing(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Billing]
    ) -> None:
        _nobody_to_ask()

    async def look_up_disputes(
        self, customer_ids: Sequence[UUID], call: Call, learn: Learn[Dispute]
    ) -> None:
        _nobody_to_ask()


class UnreadIdentity(IdentityMap):
    """Stands where an identity map's database has not been opened: nobody's id can be read."""

    async def vendor_ids(self, customer_ids: Sequence[UUID], call: Call) -> VendorIds:
        return VendorIds({}, frozenset(customer_ids))

    def forget(self, customer_id: UUID) -> None:
        """Nothing is remembered."""


class UnconfiguredRuntime:
    """What serves while there is no usable configuration: every question is answered, degraded."""

    default_tenant: Final = "unknown"
    """Whether there is a default tenant is not known, so a request that names none is answered."""

    def __init__(self, *, spawn: Spawn, report: Report) -> None:
        self.single_budget_s = Deadlines().single
        self.batch_budget_s = Deadlines().batch
        self.batch_ids = Limits().batch_ids
        self.body_bytes = Limits().request_body
        self.leases = Leases()
        self._adapter = lookup_stack(
            Unconfigured(),
            spawn=spawn,
            report=report,
            most_customers=Limits().customers_in_flight,
        )

    def read_ahead(self) -> None:
        """There is nothing to read."""

    def desk(self, tenant: str) -> Desk | None:
        """Which tenants there are is not known: any that could be one is answered."""
        if not _TENANT.fullmatch(tenant):
            return None
        return Desk(tenant=tenant, connection="-", adapter=self._adapter, forget=_remember_nothing)

    def connections(self) -> Mapping[str, Mapping[str, object]]:
        return {}

    def tenants(self) -> Mapping[str, str]:
        return {}

    def credentials(self) -> tuple[CredentialsRecord, ...]:
        return ()

    def guards(self) -> tuple[GuardRecord, ...]:
        return ()

    def flights(self) -> int:
        return 0

    def cache(self) -> CacheRecord:
        return CacheRecord(store="off")

    def certificates(self) -> tuple[CertificateRecord, ...]:
        return ()

    def force(self, connection: str, breaker: str, forced: Forced) -> BreakerRecord:
        raise NoSuchThing("connection", ())

    def file_problems(self) -> tuple[FileRecord, ...]:
        return ()

    def settle_down(self) -> None:
        """Nothing is looked at."""

    async def aclose(self) -> None:
        """Holds nothing."""


def _nobody_to_ask() -> NoReturn:
    raise LookupFailed(Reason.CONFIGURATION, "there is no usable configuration")


async def _remember_nothing(_customer_id: UUID) -> None:
    """Nothing is remembered, so nothing is to be forgotten."""
