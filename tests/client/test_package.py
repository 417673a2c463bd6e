"""What Pedkai installs: its files, its dependencies, its models."""

import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from pedkai_bss_client import BillingAccountInfo, BSSAdapter, RevenueResult
from pydantic import BaseModel

from adapters import bss_adapter
from tests.client import incident

CLIENT = Path(__file__).parents[2] / "client"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=CLIENT,
        check=True,
        capture_output=True,
    )
    (made,) = folder.glob("*.whl")
    return zipfile.ZipFile(made)


def test_the_wheel_holds_the_client_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    sources = {f"pedkai_bss_client/{path.name}" for path in CLIENT.glob("pedkai_bss_client/*.py")}
    inside = {name for name in names if ".dist-info/" not in name}
    assert inside == {*sources, "pedkai_bss_client/py.typed"}
    assert any(name.endswith("/licenses/LICENSE") for name in names)


def test_it_needs_only_what_pedkai_has_and_runs_on_its_python(wheel: zipfile.ZipFile) -> None:
    (name,) = (name for name in wheel.namelist() if name.endswith("/METADATA"))
    metadata = Parser().parsestr(wheel.read(name).decode())
    assert metadata.get_all("Requires-Dist") == ["httpx<1,>=0.26", "pydantic<3,>=2.5"]
    assert metadata["Requires-Python"] == ">=3.10"


def shape(model: type[BaseModel]) -> dict[str, object]:
    return {name: field.annotation for name, field in model.model_fields.items()}


@pytest.mark.parametrize(
    ("ours", "pedkais", "sidecars"),
    [
        (BillingAccountInfo, incident.PedkaiBillingAccountInfo, bss_adapter.BillingAccountInfo),
        (RevenueResult, incident.PedkaiRevenueResult, bss_adapter.RevenueResult),
    ],
    ids=["BillingAccountInfo", "RevenueResult"],
)
def test_the_models_have_the_fields_types_and_defaults_of_pedkais(
    ours: type[BaseModel], pedkais: type[BaseModel], sidecars: type[BaseModel]
) -> None:
    assert shape(ours) == shape(pedkais) == shape(sidecars)
    defaults = [
        {name: field.get_default() for name, field in model.model_fields.items()}
        for model in (ours, pedkais)
    ]
    assert defaults[0] == defaults[1]
    assert ours.__name__ == sidecars.__name__


def test_the_three_methods_have_the_names_of_the_contract() -> None:
    assert BSSAdapter.__abstractmethods__ == bss_adapter.BSSAdapter.__abstractmethods__
    assert BSSAdapter.__abstractmethods__ == incident.PedkaiBSSAdapter.__abstractmethods__
