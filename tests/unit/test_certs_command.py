"""`bss-sidecar certs show`."""

import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from adapters.simulator.certificates import write_demo_certificates
from proxy.certs_command import run_certs

MADE = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certs")
    write_demo_certificates(folder, now=MADE)
    (folder / "sidecar.yaml").write_text(configuration(folder / "client.pem"))
    return folder


def configuration(certificate: Path) -> str:
    folder = certificate.parent
    return json.dumps(
        {
            "schema_version": 1,
            "connections": {
                "billing": {
                    "vendor": "csg",
                    "base_url": "https://bss.example.com/",
                    "tls": {
                        "certificate_file": str(certificate),
                        "key_file": str(folder / "client.key"),
                        "trust_bundle_file": str(folder / "ca.pem"),
                    },
                }
            },
            "tenants": {"acme": {"connection": "billing"}},
        }
    )


def shown(path: Path, now: datetime, *, as_json: bool = False) -> tuple[int, str]:
    out = io.StringIO()
    return run_certs(path, json=as_json, now=now, env={}, out=out), out.getvalue()


def test_every_certificate_is_told_with_its_owner_and_what_is_left(folder: Path) -> None:
    code, text = shown(folder / "sidecar.yaml", MADE)
    assert code == 0
    client, authority = text.splitlines()[1:]
    assert client.startswith("connections.billing.tls")
    assert "client.pem" in client
    assert client.endswith("30 days")
    assert "ca.pem" in authority


def test_for_programs_the_time_left_is_in_seconds(folder: Path) -> None:
    code, text = shown(folder / "sidecar.yaml", MADE + timedelta(days=1), as_json=True)
    client, authority = json.loads(text)
    assert code == 0
    assert client["seconds_left"] == 29 * 86_400
    assert client["state"] == authority["state"] == "good"


def test_a_rotation_is_seen_in_the_serial_number_for_people_and_programs(tmp_path: Path) -> None:
    path, told = tmp_path / "sidecar.yaml", []
    for days in range(2):
        write_demo_certificates(tmp_path, now=MADE + timedelta(days=days))
        path.write_text(configuration(tmp_path / "client.pem"))
        client, _ = json.loads(shown(path, MADE + timedelta(days=2), as_json=True)[1])
        certificate = x509.load_pem_x509_certificate((tmp_path / "client.pem").read_bytes())
        assert int(client["serial"], 16) == certificate.serial_number
        assert len(client["serial"]) % 2 == 0
        assert datetime.fromisoformat(client["not_before"]) == certificate.not_valid_before_utc
        row = shown(path, MADE + timedelta(days=2))[1].splitlines()[1]
        assert f"  …{client['serial'][-8:]}  " in row
        told.append(row.partition("…")[2][:8])
    assert told[0] != told[1]


@pytest.mark.parametrize(
    ("later", "code", "state"),
    [
        (timedelta(days=25), 0, "soon"),
        (timedelta(days=31), 1, "bad"),
        (-timedelta(days=9), 1, "bad"),
    ],
)
def test_the_exit_status_says_whether_all_may_be_used(
    folder: Path, later: timedelta, code: int, state: str
) -> None:
    ended, text = shown(folder / "sidecar.yaml", MADE + later, as_json=True)
    assert (ended, json.loads(text)[0]["state"]) == (code, state)


@pytest.mark.parametrize("content", [None, b"", b"no certificate"])
def test_a_file_that_cannot_be_used_is_told_with_what_is_wrong(
    folder: Path, tmp_path: Path, content: bytes | None
) -> None:
    bad = folder / "bad.pem"
    bad.unlink(missing_ok=True)
    if content is not None:
        bad.write_bytes(content)
    path = tmp_path / "sidecar.yaml"
    path.write_text(configuration(bad))
    code, text = shown(path, MADE, as_json=True)
    assert code == 1
    assert json.loads(text)[0]["wrong"]


def test_a_bad_configuration_is_64_and_told(tmp_path: Path) -> None:
    path = tmp_path / "sidecar.yaml"
    path.write_text("schema_version: 2\n")
    code, text = shown(path, MADE)
    assert code == 64
    assert "schema_version" in text


def test_a_configuration_without_certificates_says_so(tmp_path: Path) -> None:
    path = tmp_path / "sidecar.yaml"
    path.write_text("schema_version: 1\nconnections: {m: {vendor: mock}}\n")
    assert shown(path, MADE) == (0, "this configuration names no certificate\n")
