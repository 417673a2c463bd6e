"""From a vendor's name to its adapter. The only file that lists vendors.

Adding one is a line here and a module beside it; `adapters/README.md` walks through it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from adapters.amdocs_adapter import PROFILE as AMDOCS
from adapters.amdocs_adapter import AmdocsBSSAdapter
from adapters.bss_adapter import BSSAdapter
from adapters.cerillion_adapter import PROFILE as CERILLION
from adapters.cerillion_adapter import CerillionBSSAdapter
from adapters.csg_adapter import PROFILE as CSG
from adapters.csg_adapter import CSGBSSAdapter
from adapters.exchange import Api
from adapters.lookup import LookupAdapter, WrappedAdapter
from adapters.ports import Ports
from adapters.tmf.profile import Profile

Reach = Literal["http", "database", "none"]


@dataclass(frozen=True, slots=True)
class Vendor:
    """How one vendor's adapter is made, and what it needs."""

    build: Callable[[Ports], BSSAdapter]
    """A `LookupAdapter`, or a bare adapter with only the three methods of the contract."""
    reach: Reach
    """Where it is: over HTTP (`Ports.exchange`), in a database (`Ports.database`), or nowhere."""
    profile: Profile | None = None
    """How it speaks TM Forum, if it does."""


def _local(ports: Ports) -> BSSAdapter:
    # Imported when it is used: who has no database need not load a database library.
    from adapters.local_adapter import LocalBSSAdapter  # noqa: PLC0415  (see above)

    return LocalBSSAdapter(ports)


def _mock(ports: Ports) -> BSSAdapter:
    from adapters.mock_adapter import MockBSSAdapter  # noqa: PLC0415  (tests and demos only)

    return MockBSSAdapter.from_ports(ports)


VENDORS: Mapping[str, Vendor] = {
    "amdocs": Vendor(AmdocsBSSAdapter, "http", AMDOCS),
    "cerillion": Vendor(CerillionBSSAdapter, "http", CERILLION),
    "csg": Vendor(CSGBSSAdapter, "http", CSG),
    "local": Vendor(_local, "database"),
    "mock": Vendor(_mock, "none"),
}


def reaches(vendors: Mapping[str, Vendor] = VENDORS) -> Mapping[str, Reach]:
    """What each vendor needs of a connection, for the check of the settings."""
    return {name: vendor.reach for name, vendor in vendors.items()}


def build(vendor: str, ports: Ports, vendors: Mapping[str, Vendor] = VENDORS) -> LookupAdapter:
    """The adapter of a vendor, as one that answers lookups. `KeyError`: there is no such vendor."""
    adapter = vendors[vendor].build(ports)
    if isinstance(adapter, LookupAdapter):
        return adapter
    wrapped = WrappedAdapter(adapter, source=vendor)
    wrapped.reporting_currency = ports.reporting_currency
    return wrapped


def base_urls(
    vendor: str,
    base_url: str | None,
    apis: Mapping[str, str],
    tmf: Mapping[str, object],
    vendors: Mapping[str, Vendor] = VENDORS,
) -> Mapping[Api, str]:
    """Where each API of a connection is, ending with a slash.

    An API has its own URL from `apis`, else the vendor's path for it below `base_url`; one that has
    neither is left out. `tmf` are the connection's settings over the vendor's profile.
    """
    profile = vendors[vendor].profile
    urls = {Api(name): url for name, url in apis.items()}
    if base_url is not None:
        settled = profile.with_settings(tmf) if profile else None
        for api in Api:
            path = settled.path_of(api) if settled else ""
            urls.setdefault(api, f"{base_url.rstrip('/')}/{path}")
    return {api: f"{url.rstrip('/')}/" for api, url in urls.items()}
