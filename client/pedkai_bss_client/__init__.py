"""Pedkai's `BSSAdapter`, answered by the BSS sidecar that stands beside the pod.

`SidecarBSSAdapter` is what to hand to whoever takes a `bss_adapter`. An **answer** is what came
back, with its **degradation**: why it is less than it could be. A **failure** is a question that
nobody answered. Importing this package opens nothing, starts nothing and does not import httpx.
"""

from pedkai_bss_client.adapter import SidecarBSSAdapter
from pedkai_bss_client.answer import Answer, Degraded, Disputes
from pedkai_bss_client.context import current_correlation_id, current_tenant
from pedkai_bss_client.contract import BillingAccountInfo, BSSAdapter, RevenueResult
from pedkai_bss_client.failure import BSSUnavailable

__version__ = "0.1.0"

__all__ = [
    "Answer",
    "BSSAdapter",
    "BSSUnavailable",
    "BillingAccountInfo",
    "Degraded",
    "Disputes",
    "RevenueResult",
    "SidecarBSSAdapter",
    "current_correlation_id",
    "current_tenant",
]
