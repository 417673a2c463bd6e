"""The only list of vendors."""

import subprocess
import sys
from typing import Any
from uuid import UUID

import pytest

from adapters import registry
from adapters.bss_adapter import BillingAccountInfo, BSSAdapter, RevenueResult
from adapters.exchange import Api, ScriptedExchange
from adapters.lookup import LookupAdapter, WrappedAdapter
from adapters.ports import Ports
from adapters.reader import ScriptedReader
from tests.unit.tmf.pretend import Mapped, Pretend, pedkai_id


def ports(**more: Any) -> Ports:
    return Ports(
        tenant="tenant",
        connection="connection",
        reporting_currency="EUR",
        identity=Mapped({}),
        exchange=ScriptedExchange(Pretend()),
        **more,
    )


class Bare(BSSAdapter):
    """Only the three methods."""

    async def get_billing_account(self, customer_id: UUID) -> BillingAccountInfo | None:
        return BillingAccountInfo(customer_id=customer_id, monthly_fee=3.5, currency="EUR")

    async def get_revenue_at_risk(self, customer_ids: list[UUID]) -> RevenueResult:
        raise NotImplementedError

    async def check_disputes(self, customer_ids: list[UUID]) -> list[UUID]:
        return []


def test_each_vendor_says_where_it_is_reached() -> None:
    assert registry.reaches() == {
        "amdocs": "http",
        "cerillion": "http",
        "csg": "http",
        "local": "database",
        "mock": "none",
    }


@pytest.mark.parametrize("vendor", [name for name in registry.VENDORS if name != "local"])
def test_each_vendor_is_built_from_ports_under_its_own_name(vendor: str) -> None:
    adapter = registry.build(vendor, ports())
    assert isinstance(adapter, LookupAdapter)
    assert adapter.source == vendor
    assert adapter.is_estimate is (vendor == "mock")
    assert adapter.reporting_currency == "EUR"


def test_the_settings_of_the_connection_reach_the_adapter() -> None:
    adapter: Any = registry.build("csg", ports(tmf={"page_size": 7, "version": None}))
    assert (adapter.profile.page_size, adapter.profile.version) == (7, "v4")


def test_an_unknown_vendor_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        registry.build("acme", ports())


async def test_a_bare_adapter_is_wrapped_and_sums_in_the_tenants_currency() -> None:
    vendors = {"acme": registry.Vendor(lambda _ports: Bare(), "none")}
    adapter = registry.build("acme", ports(), vendors)
    assert isinstance(adapter, WrappedAdapter)
    result = await adapter.get_revenue_at_risk([pedkai_id("C1"), pedkai_id("C2")])
    assert (result.total_revenue_at_risk, result.source) == (7.0, "acme")


@pytest.mark.parametrize(
    ("vendor", "base_url", "product", "rates"),
    [
        ("amdocs", "https://bss.test", "https://bss.test/", "https://bss.test/"),
        (
            "cerillion",
            "https://bss.test/apiman-gateway/ORG/",
            "https://bss.test/apiman-gateway/ORG/product/1.0/",
            "https://bss.test/apiman-gateway/ORG/bill/1.0/",
        ),
        (
            "csg",
            "https://bss.test/tmf-api",
            "https://bss.test/tmf-api/productInventory/v4/",
            "https://bss.test/tmf-api/customerBillManagement/v4/",
        ),
    ],
)
def test_every_api_is_below_the_base_url_and_ends_with_a_slash(
    vendor: str, base_url: str, product: str, rates: str
) -> None:
    urls = registry.base_urls(vendor, base_url, {}, {})
    assert set(urls) == set(Api)
    assert (urls[Api.PRODUCT_INVENTORY], urls[Api.CUSTOMER_BILL]) == (product, rates)


def test_the_version_is_part_of_the_path() -> None:
    urls = registry.base_urls("csg", "https://bss.test/tmf-api/", {}, {"version": "v5"})
    assert urls[Api.ACCOUNT] == "https://bss.test/tmf-api/accountManagement/v5/"


def test_an_api_with_its_own_url_is_there_and_one_without_any_is_nowhere() -> None:
    apis = {"product_inventory": "https://products.test/x"}
    assert registry.base_urls("amdocs", None, apis, {}) == {
        Api.PRODUCT_INVENTORY: "https://products.test/x/"
    }
    urls = registry.base_urls("amdocs", "https://bss.test/", apis, {})
    assert urls[Api.PRODUCT_INVENTORY] == "https://products.test/x/"
    assert urls[Api.CUSTOMER] == "https://bss.test/"


def test_a_vendor_that_speaks_no_tm_forum_has_every_api_at_its_base_url() -> None:
    assert set(registry.base_urls("mock", "https://bss.test", {}, {}).values()) == {
        "https://bss.test/"
    }


def test_no_database_library_is_loaded_before_a_database_is_used() -> None:
    script = "import sys, adapters.registry; sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_the_local_database_is_built_from_its_reader() -> None:
    adapter = registry.build("local", ports(database=ScriptedReader(lambda _selection: [])))
    assert (adapter.source, adapter.is_estimate) == ("bss_local", False)
