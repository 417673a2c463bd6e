"""What is agreed about the shape of the code, as checks that fail."""

import ast
import importlib.metadata
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.project_files import project_files

ROOT = Path(__file__).parents[2]
PACKAGES = ("adapters", "config", "proxy")
PRODUCT = (*PACKAGES, "client")


PYTHON = project_files("*.py")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_a_file_has_at_most_400_lines_and_its_functions_at_most_60(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    functions = (
        node
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    too_long = [f.name for f in functions if (f.end_lineno or 0) - f.lineno + 1 > 60]
    assert too_long == []


@pytest.mark.parametrize("path", PYTHON, ids=relative)
def test_every_exception_from_a_rule_names_its_code_and_reason(path: Path) -> None:
    silent = re.compile(r"#\s*(?:noqa(?!:)|type:\s*ignore(?!\[))")
    without_reason = re.compile(r"#\s*noqa: [A-Z0-9, ]+$|#\s*type: ignore\[[^]]*\]$")
    lines = path.read_text(encoding="utf-8").splitlines()
    in_product = path.relative_to(ROOT).parts[0] in PRODUCT
    assert [line for line in lines if silent.search(line) and "re.compile" not in line] == []
    assert not in_product or [line for line in lines if without_reason.search(line)] == []


def test_every_package_of_ours_tells_type_checkers_that_it_is_typed() -> None:
    assert [
        name
        for name in (*PACKAGES, "client/pedkai_bss_client")
        if not (ROOT / name / "py.typed").is_file()
    ] == []


def test_no_other_distribution_brings_packages_of_these_names() -> None:
    """The names are generic, and an installer lets one distribution overwrite another's."""
    owners = importlib.metadata.packages_distributions()
    assert {owner for name in PACKAGES for owner in owners.get(name, [])} <= {"bss-sidecar"}


def test_the_wheel_holds_exactly_our_three_packages(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    names = {Path(name).parts[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {name for name in names if not name.endswith(".dist-info")} == set(PACKAGES)


def test_no_private_key_is_in_the_repository() -> None:
    marker = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----\s+[A-Za-z0-9+/]{32}")
    keys = [path for path in project_files("*") if marker.search(path.read_bytes())]
    assert keys == []


@pytest.mark.parametrize(
    "lock", ["runtime.txt", "build.txt", "dev.txt", "otel.txt", "envoy.txt", "plots.txt"]
)
def test_a_lock_pins_everything_with_hashes_and_names_no_index(lock: str) -> None:
    text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
    assert entries
    assert [entry for entry in entries if "--hash=sha256:" not in entry or "==" not in entry] == []
    assert "://" not in text


def test_only_the_registry_lists_the_vendors() -> None:
    vendors = {"amdocs", "cerillion", "csg"}
    allowed = {"adapters/registry.py"}
    knowing = []
    for path in PYTHON:
        name = relative(path)
        if not name.startswith(PACKAGES) or name.startswith(("adapters/simulator/", "proxy/demo/")):
            continue
        strings = {
            node.value.lower()
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        if len(vendors & strings) > 1 and name not in allowed:
            knowing.append(name)
    assert knowing == []
