"""The worked example of `adapters/README.md` works."""

import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from adapters import registry
from adapters.exchange import ScriptedExchange, VendorReply, VendorRequest
from adapters.lookup import LookupAdapter
from adapters.outcome import LookupFailed
from adapters.ports import Ports
from tests.unit.tmf.pretend import Mapped, pedkai_id

README = Path(registry.__file__).with_name("README.md").read_text(encoding="utf-8")
CODE = {
    match[1]: match[0].removeprefix("```python\n").removesuffix("```")
    for match in re.finditer(r"```python\n# (\S+\.py)\n.*?```", README, re.DOTALL)
}
CUSTOMERS = {pedkai_id(name): name for name in ("ann", "ben", "cy", "dot")}
ANN, BEN, CY, DOT = CUSTOMERS


@pytest.fixture
def written() -> Iterator[dict[str, ModuleType]]:
    """The modules of the example, each importable under the name that the example gives it."""
    names = {path: path.removesuffix(".py").replace("/", ".") for path in CODE}
    modules = {path: ModuleType(name) for path, name in names.items()}
    sys.modules.update({names[path]: module for path, module in modules.items()})
    try:
        for path, module in modules.items():
            exec(compile(CODE[path], path, "exec"), module.__dict__)  # noqa: S102  (our own page)
        yield modules
    finally:
        for name in names.values():
            del sys.modules[name]


def acme(request: VendorRequest) -> VendorReply:
    subscribers = {
        "subscribers/ann": {
            "plan": "A",
            "fee": Decimal("5.50"),
            "currency": "GBP",
            "disputed": True,
        },
        "subscribers/ben": {"plan": "B", "fee": None, "currency": "GBP", "disputed": False},
        "subscribers/dot": None,
    }
    if request.path in subscribers:
        return VendorReply(200, {}, subscribers[request.path])
    return VendorReply(404, {}, {"error": "unknown_subscriber"})


def build(module: ModuleType) -> LookupAdapter:
    made: Any = module
    vendors = {"acme": registry.Vendor(made.AcmeBSSAdapter, "http")}
    ports = Ports(
        tenant="t",
        connection="c",
        identity=Mapped(CUSTOMERS),
        exchange=ScriptedExchange(acme),
    )
    return registry.build("acme", ports, vendors)


async def test_the_profile_of_the_example_passes_the_test_of_the_example(
    written: dict[str, ModuleType],
) -> None:
    example: Any = written["tests/unit/test_globex_adapter.py"]
    await example.test_the_monthly_price_of_a_subscribers_product_is_its_fee()


async def test_the_bare_adapter_of_the_example_tells_its_three_things_apart(
    written: dict[str, ModuleType],
) -> None:
    adapter = build(written["adapters/acme_adapter.py"])
    ann, ben = await adapter.get_billing_account(ANN), await adapter.get_billing_account(BEN)
    assert ann is not None
    assert ben is not None
    assert (ann.monthly_fee, ben.monthly_fee) == (5.5, None)
    assert await adapter.get_billing_account(CY) is None
    with pytest.raises(LookupFailed):
        await adapter.get_billing_account(DOT)


async def test_the_bare_adapter_of_the_example_sums_and_finds_disputes(
    written: dict[str, ModuleType],
) -> None:
    adapter = build(written["adapters/acme_adapter.py"])
    result = await adapter.get_revenue_at_risk([ANN, BEN, CY])
    assert (result.total_revenue_at_risk, result.priced_customer_count) == (5.5, 1)
    assert (result.unpriced_customer_count, result.is_estimate) == (2, False)
    assert await adapter.check_disputes([ANN, BEN, CY]) == [ANN]


def test_the_page_ends_with_the_command_of_the_contract_suite() -> None:
    assert "make contract VENDOR=globex" in README.splitlines()[-5]
    assert README.rstrip().endswith("pytest tests/contract --vendor globex")


def test_every_field_and_file_that_the_page_names_is_there() -> None:
    tables = " ".join(line for line in README.splitlines() if line.startswith("| "))
    named = set(re.findall(r"`([a-z]+_[a-z_]+)`", tables))
    known = {*registry.Profile.__dataclass_fields__, *Ports.__dataclass_fields__}
    assert named <= known
    for path in ("ports.py", "lookup.py", "registry.py", "local_adapter.py"):
        assert Path(registry.__file__).with_name(path).is_file()
