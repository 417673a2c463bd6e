"""Reading credentials: what good files give, and what is said of bad ones."""

import ssl
import traceback
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pydantic import SecretStr

from adapters.outcome import LookupFailed, Reason
from adapters.simulator.certificates import Authority, Validity
from config.settings import ClientTls, OAuth2
from proxy.credentials.files import LARGEST_BYTES, read_file, read_set
from proxy.credentials.loading import failure, load
from proxy.credentials.snapshot import Credentials
from proxy.credentials.tls import Unfit, _present
from tests.unit.credentials.conftest import NOW

CANARY = "canary-4711"


def client_tls(folder: Path) -> ClientTls:
    return ClientTls(
        certificate_file=str(folder / "client.pem"),
        key_file=str(folder / "client.key"),
        trust_bundle_file=str(folder / "ca.pem"),
    )


def oauth2(**more: str) -> OAuth2:
    return OAuth2.model_validate({"token_url": "https://issuer.test/", "client_id": "c"} | more)


def read(tls: ClientTls | None = None, oauth: OAuth2 | None = None) -> Credentials:
    loaded = load(read_set(tls, oauth), NOW, version=3)
    if loaded.credentials is None:
        raise failure(loaded.judgement.problems)
    assert loaded.judgement.good
    return loaded.credentials


def refusal(tls: ClientTls | None = None, oauth: OAuth2 | None = None) -> LookupFailed:
    with pytest.raises(LookupFailed) as failed:
        read(tls, oauth)
    told = "".join(traceback.format_exception(failed.value))
    assert CANARY not in told + str(failed.value.__context__)
    assert "PRIVATE KEY" not in told
    return failed.value


def pem(key: serialization.PrivateFormat | object, password: bytes | None = None) -> bytes:
    encryption = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(  # type: ignore[attr-defined, no-any-return]
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption
    )


def test_a_given_bundle_alone_is_trusted(folder: Path) -> None:
    credentials = read(client_tls(folder))
    assert [one["subject"] for one in credentials.tls.get_ca_certs()] == [
        ((("commonName", "Throwaway CA"),),)
    ]
    assert credentials.version == 3


def test_without_a_bundle_the_system_is_trusted() -> None:
    system = ssl.create_default_context()
    assert read().tls.cert_store_stats() == system.cert_store_stats()
    assert read().certificate_ends is None


def test_certificates_are_demanded_and_names_checked_over_tls_1_2_at_least(folder: Path) -> None:
    for tls in (None, client_tls(folder)):
        context = read(tls).tls
        assert context.verify_mode is ssl.CERT_REQUIRED
        assert context.check_hostname
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_certificate_and_key_may_be_one_file(folder: Path) -> None:
    both = folder / "both.pem"
    both.write_bytes((folder / "client.key").read_bytes() + (folder / "client.pem").read_bytes())
    assert read(ClientTls(certificate_file=str(both))).certificate_ends is not None


def test_comments_around_a_certificate_are_fine(folder: Path) -> None:
    bundle = folder / "ca.pem"
    bundle.write_bytes("# Prüfstelle\n".encode("latin-1") + bundle.read_bytes() * 2)
    assert read(client_tls(folder)).tls.cert_store_stats()["x509_ca"] == 1


def garbage(path: Path) -> None:
    path.write_text(CANARY)


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:90])


def emptied(path: Path) -> None:
    path.write_text("\n")


def huge(path: Path) -> None:
    path.write_bytes(b"x" * (LARGEST_BYTES + 1))


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (Path.unlink, "cannot be read (FileNotFoundError)"),
        (a_folder, "cannot be read (IsADirectoryError)"),
        (emptied, "is empty"),
        (huge, "is too large"),
        (garbage, "is not a PEM"),
        (cut_short, "is not a PEM"),
    ],
)
@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("ca.pem", "trust bundle"),
        ("client.pem", "client certificate"),
        ("client.key", "client key"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(
    folder: Path, name: str, what: str, spoil: Callable[[Path], None], problem: str
) -> None:
    spoil(folder / name)
    failure = refusal(client_tls(folder))
    assert failure.reason is Reason.TLS
    assert failure.detail.startswith(f"the {what} {folder / name} {problem}")


def test_a_key_of_another_certificate_is_told(folder: Path, authority: Authority) -> None:
    authority.issue_client("other").write(folder, "other")
    (folder / "other.key").rename(folder / "client.key")
    assert "does not belong" in refusal(client_tls(folder)).detail


def test_an_encrypted_key_is_told_and_no_passphrase_asked_for(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    (folder / "client.key").write_bytes(pem(key, CANARY.encode()))
    assert "is encrypted" in refusal(client_tls(folder)).detail


def test_a_certificate_that_openssl_refuses_is_told(folder: Path, authority: Authority) -> None:
    """A chain whose second certificate is no authority's is read, and refused by nobody else."""
    leaf = (folder / "client.pem").read_bytes()
    (folder / "client.pem").write_bytes(leaf + b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END")
    assert refusal(client_tls(folder)).reason is Reason.TLS


class RacedContext(ssl.SSLContext):
    """While OpenSSL reads the certificate, somebody rotates it."""

    def load_cert_chain(self, certfile: Any, keyfile: Any = None, password: Any = None) -> None:
        super().load_cert_chain(certfile, keyfile, password)
        Path(certfile).write_bytes(Path(certfile).read_bytes() + b"\n")


def test_files_that_change_while_they_are_read_are_not_taken(folder: Path) -> None:
    certificate = read_file(str(folder / "client.pem"), "client certificate")
    key = read_file(str(folder / "client.key"), "client key")
    with pytest.raises(Unfit, match="changed while it was read") as unfit:
        _present(RacedContext(ssl.PROTOCOL_TLS_CLIENT), certificate, key)
    assert unfit.value.changed


def test_a_certificate_is_good_until_it_ends(folder: Path, authority: Authority) -> None:
    credentials = read(client_tls(folder))
    ends = credentials.certificate_ends
    assert ends is not None
    credentials.check(ends - timedelta(seconds=1))
    with pytest.raises(LookupFailed, match="ended on 2026-03-31") as failed:
        credentials.check(ends)
    assert failed.value.reason is Reason.TLS


def test_a_certificate_that_has_ended_is_not_taken(folder: Path, authority: Authority) -> None:
    past = Validity(not_before=NOW - timedelta(days=9), not_after=NOW - timedelta(days=1))
    authority.issue_client("late", validity=past).write(folder, "client")
    assert "ended on 2026-02-28" in refusal(client_tls(folder)).detail


def test_a_client_secret_is_one_line_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_bytes(f" {CANARY}ä\r\n".encode())
    secret = read(None, oauth2(client_secret_file=str(path))).client_secret
    assert secret is not None
    assert secret.get_secret_value() == f" {CANARY}ä"


def test_a_client_secret_may_come_from_the_settings() -> None:
    setting = oauth2().model_copy(update={"client_secret": SecretStr(CANARY)})
    assert read(None, setting).client_secret == SecretStr(CANARY)


@pytest.mark.parametrize("content", [None, b"\n", CANARY.encode() + b"\xff"])
def test_a_bad_client_secret_file_is_a_matter_of_auth(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    failure = refusal(None, oauth2(client_secret_file=str(path)))
    assert failure.reason is Reason.AUTH
    assert str(path) in failure.detail


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (rsa.generate_private_key(65537, 2048), "RS256"),
        (ec.generate_private_key(ec.SECP256R1()), "ES256"),
        (ec.generate_private_key(ec.SECP384R1()), "ES384"),
        (ec.generate_private_key(ec.SECP521R1()), "ES512"),
    ],
)
def test_the_algorithm_of_a_signing_key_is_that_of_its_kind(
    tmp_path: Path, key: object, algorithm: str
) -> None:
    path = tmp_path / "key"
    path.write_bytes(pem(key))
    signing_key = read(None, oauth2(signing_key_file=str(path))).signing_key
    assert signing_key is not None
    assert repr(signing_key) == f"SigningKey(algorithm='{algorithm}')"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (pem(rsa.generate_private_key(65537, 1024)), "is neither RSA of 2048 bits"),  # noqa: S505 (too small on purpose)
        (pem(ed25519.Ed25519PrivateKey.generate()), "is neither RSA"),
        (pem(ec.generate_private_key(ec.SECP256K1())), "is neither RSA"),
        (pem(ec.generate_private_key(ec.SECP256R1()), b"x"), "is encrypted"),
        (CANARY.encode(), "is not a PEM private key"),
    ],
)
def test_a_bad_signing_key_is_a_matter_of_auth(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    failure = refusal(None, oauth2(signing_key_file=str(path)))
    assert failure.reason is Reason.AUTH
    assert problem in failure.detail


def test_credentials_show_nothing_secret(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(CANARY)
    credentials = read(None, oauth2(client_secret_file=str(path)))
    assert repr(credentials) == f"Credentials(version=3, loaded_at={NOW!r})"
