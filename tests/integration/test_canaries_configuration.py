"""What is said of a bad configuration quotes none of the secrets that stand in it."""

import json
from pathlib import Path

import pytest

from proxy.cli import main
from tests.servers.canaries import MARK

LOGIN = f"{MARK}:{MARK}-password"
CONNECTION = """
schema_version: 1
tenants: {{acme_demo: {{connection: acme}}}}
connections:
  acme:
    vendor: {vendor}
    {setting}
"""
MISTAKES = {
    "a secret in the file": ("amdocs", f"oauth2: {{client_secret: {MARK}}}"),
    "a secret of another type": ("amdocs", f"oauth2: {{client_secret: [{MARK}]}}"),
    "a secret that is not closed": ("amdocs", f'oauth2: {{client_secret: "{MARK}'),
    "a secret behind an anchor": ("amdocs", f"oauth2: &{MARK} {{client_secret: *{MARK}}}"),
    "a secret twice": ("amdocs", f"headers: {{X-Key: {MARK}1, X-Key: {MARK}2}}"),
    "a secret in a header": ("amdocs", f"headers: {{Authorization: Bearer {MARK}}}"),
    "a login in a URL": ("amdocs", f"base_url: https://{LOGIN}@bss.example/"),
    "a login in a plain URL": ("amdocs", f"base_url: http://{LOGIN}@bss.example/"),
    "a login in a token URL": ("amdocs", f"oauth2: {{token_url: 'https://{LOGIN}@bss.example/'}}"),
    "a login in an API's URL": ("amdocs", f"apis: {{account: 'https://{LOGIN}@bss.example/'}}"),
    "a login of a proxy": ("amdocs", f"wire: {{egress_proxy: 'http://{LOGIN}@proxy.example:1'}}"),
    "a database in the file": ("local", f"database: {{dsn: 'postgresql://{LOGIN}@db/x'}}"),
    "a database of a bad kind": ("local", "database: {dsn: '${TEST_BAD_DSN}'}"),
    "a database of an identity": ("amdocs", f"identity: {{dsn: 'postgresql://{LOGIN}@db/x'}}"),
    "a key for a path": ("amdocs", f"tls: {{key_file: '-----BEGIN PRIVATE KEY----- {MARK}'}}"),
    "a secret for a number": ("amdocs", f"wire: {{concurrency: {MARK}}}"),
    "a secret for a duration": ("amdocs", f"wire: {{connect_timeout: {MARK}}}"),
    "a secret for a choice": ("amdocs", f"oauth2: {{method: {MARK}}}"),
    "a secret for a group": ("amdocs", f"oauth2: {MARK}"),
    "a secret for an unknown setting": ("amdocs", f"password: {MARK}"),
    "a tab": ("amdocs", f"\toauth2: {MARK}"),
}


@pytest.mark.parametrize("command", [["check"], ["check", "--json"], ["serve"]], ids=" ".join)
@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_without_the_value_that_was_written(
    name: str,
    command: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("TEST_BAD_DSN", f"mysql://{LOGIN}@db/x")
    vendor, setting = MISTAKES[name]
    file = tmp_path / "sidecar.yaml"
    file.write_text(CONNECTION.format(vendor=vendor, setting=setting))
    assert main([*command, str(file)]) == 64
    told = "".join(capfd.readouterr())
    assert "sidecar.yaml" in told
    assert MARK.lower() not in told.lower()


def test_a_good_configuration_is_shown_without_its_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TEST_SECRET", f"{MARK}-secret")
    monkeypatch.setenv("TEST_DSN", f"postgresql+asyncpg://{LOGIN}@db.example/x")
    monkeypatch.setenv("TEST_PROXY", f"http://{LOGIN}@proxy.example:3128")
    oauth2 = {
        "token_url": "https://bss.example/token",
        "client_id": "side",
        "client_secret": "${TEST_SECRET}",
    }
    acme = {
        "vendor": "amdocs",
        "base_url": "https://bss.example/",
        "oauth2": oauth2,
        "identity": {"kind": "pedkai_db", "dsn": "${TEST_DSN}"},
        "wire": {"egress_proxy": "${TEST_PROXY}"},
    }
    file = tmp_path / "sidecar.yaml"
    tenants = {"acme_demo": {"connection": "acme"}}
    file.write_text(
        json.dumps({"schema_version": 1, "tenants": tenants, "connections": {"acme": acme}})
    )
    for command in (["check"], ["check", "--json"]):
        assert main([*command, str(file)]) == 0
        told = "".join(capfd.readouterr())
        assert "acme" in told
        assert MARK.lower() not in told.lower()
