import re
import ssl
import stat
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import ClientVerifier, PolicyBuilder, Store, VerificationError

from adapters.simulator.certificates import (
    Authority,
    Issued,
    Validity,
    write_demo_certificates,
    write_private,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[3]


def verify_server(authority: Authority, leaf: Issued, name: str, at: datetime = NOW) -> None:
    policy = PolicyBuilder().store(Store([authority.root])).time(at)
    policy.build_server_verifier(x509.DNSName(name)).verify(leaf.certificate, list(leaf.chain))


def client_verifier(authority: Authority) -> ClientVerifier:
    return PolicyBuilder().store(Store([authority.root])).time(NOW).build_client_verifier()


@pytest.mark.parametrize("intermediates", [0, 1])
def test_a_server_leaf_holds_for_its_name_and_for_no_other(intermediates: int) -> None:
    authority = Authority.create(now=NOW, intermediate=intermediates == 1)
    leaf = authority.issue_server(["vendor.example"])
    verify_server(authority, leaf, "vendor.example")
    assert len(leaf.chain) == intermediates
    with pytest.raises(VerificationError):
        verify_server(authority, leaf, "other.example")


def test_a_client_leaf_is_good_for_clients_and_not_for_servers() -> None:
    authority = Authority.create(now=NOW)
    leaf = authority.issue_client("bss-sidecar")
    assert client_verifier(authority).verify(leaf.certificate, []).subjects
    usage = leaf.certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    with pytest.raises(VerificationError):
        verify_server(authority, leaf, "bss-sidecar")


def test_a_server_leaf_is_not_good_for_clients() -> None:
    authority = Authority.create(now=NOW)
    with pytest.raises(VerificationError):
        client_verifier(authority).verify(authority.issue_server().certificate, [])


def test_another_authority_of_the_same_name_is_not_believed() -> None:
    leaf = Authority.create(now=NOW).issue_server(["vendor.example"])
    with pytest.raises(VerificationError):
        verify_server(Authority.create(now=NOW), leaf, "vendor.example")


@pytest.mark.parametrize(
    ("begins", "ends"),
    [(timedelta(days=-9), timedelta(days=-1)), (timedelta(days=1), timedelta(days=9))],
    ids=["expired", "not-yet-valid"],
)
def test_a_leaf_outside_its_validity_does_not_hold(begins: timedelta, ends: timedelta) -> None:
    authority = Authority.create(now=NOW)
    validity = Validity(not_before=NOW + begins, not_after=NOW + ends)
    leaf = authority.issue_server(["vendor.example"], validity=validity)
    with pytest.raises(VerificationError):
        verify_server(authority, leaf, "vendor.example")


def test_keys_are_p256_unless_rsa_is_asked_for() -> None:
    authority = Authority.create(now=NOW)
    assert isinstance(authority.issue_client("one").key, ec.EllipticCurvePrivateKey)
    assert isinstance(authority.issue_client("two", key="rsa").key, rsa.RSAPrivateKey)


def test_every_leaf_has_a_serial_of_its_own_and_no_repr_shows_a_key() -> None:
    authority = Authority.create(now=NOW)
    first, second = authority.issue_client("one"), authority.issue_client("one")
    assert first.serial != second.serial
    assert "PrivateKey" not in repr(first)


def test_written_files_load_and_private_keys_are_their_owners_alone(tmp_path: Path) -> None:
    write_demo_certificates(tmp_path, now=datetime.now(tz=UTC))  # noqa: TID251 (OpenSSL's clock)
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    for name in ("server", "client"):
        context.load_cert_chain(tmp_path / f"{name}.pem", tmp_path / f"{name}.key")
        assert stat.S_IMODE((tmp_path / f"{name}.key").stat().st_mode) == 0o600


def test_a_secret_that_is_written_over_a_readable_file_is_not_readable(tmp_path: Path) -> None:
    path = tmp_path / "old.key"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_example_script_makes_certificates_for_the_names_that_it_is_told(
    tmp_path: Path,
) -> None:
    script = ROOT / "certs-example" / "make_certs.py"
    command = [sys.executable, str(script), str(tmp_path), "--name", "vendor.example"]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    leaf = x509.load_pem_x509_certificate((tmp_path / "server.pem").read_bytes())
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["vendor.example"]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "ca.pem", "client.key", "client.pem", "server.key", "server.pem",
    ]  # fmt: skip
    assert "client.key  0600" in printed


PRIVATE_KEY = re.compile(rb"-----BEGIN ([A-Z]+ )?PRIVATE KEY-----\s+[A-Za-z0-9+/=]{40}")


def test_a_private_key_is_recognised_as_one() -> None:
    assert PRIVATE_KEY.search(Authority.create(now=NOW).issue_client("one").key_pem())


def test_no_private_key_is_kept_with_the_project(project_files: Callable[[], list[Path]]) -> None:
    files = project_files()
    assert ROOT / "pyproject.toml" in files
    assert [path for path in files if PRIVATE_KEY.search(path.read_bytes())] == []
