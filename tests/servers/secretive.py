"""A stage on which everything is personal or secret, and much of it broken."""

import csv
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from adapters.simulator.population import SHAPES, customer_id
from tests.servers import pedkai
from tests.servers.canaries import MARK, Canaries, kept_secret, marked_ids
from tests.servers.rude import RudeVendor, rude_vendor
from tests.servers.sidecar import Stage, running
from tests.servers.vendors import NOW, SECRET, Setup, connection_setting

LOCAL_CUSTOMERS = range(10)
WRONG_SECRET = f"{MARK}-wrong-secret"
ENVIRONMENT = {
    "TEST_SECRET": f"{MARK}-secret-of-the-environment",
    "TEST_DSN": f"postgresql+asyncpg://{MARK}:{MARK}-password@127.0.0.1:1/{MARK}",
    "TEST_PROXY": f"http://{MARK}:{MARK}-password@127.0.0.1:1",
}
BROKEN = (
    "rude", "wrong_secret", "bad_key", "bad_signing_key", "no_database", "bad_dsn", "dead_proxy",
    "unread_identity",
)  # fmt: skip
"""Connections that can never answer."""


@asynccontextmanager
async def secretive(folder: Path) -> AsyncIterator[tuple[Stage, RudeVendor]]:
    setups = {shape: Setup(shape=shape, data=kept_secret(shape)) for shape in SHAPES}
    async with running(setups, folder) as vendors, rude_vendor(folder) as rude:
        database = await _database(folder / "pedkai.db")
        _write_files(folder, database.url)
        connections: dict[str, Any] = {
            shape: connection_setting(setups[shape], vendor, folder).model_dump(
                mode="json", exclude_unset=True, exclude_none=True
            )
            | {"identity": _identity(shape, folder)}
            for shape, vendor in vendors.items()
        }
        dsn_file = {"dsn_file": str(folder / "dsn")}
        connections["local"] = {"vendor": "local", "database": dsn_file}
        broken = _broken(connections["amdocs"], folder, rude)
        file = folder / "sidecar.yaml"
        file.write_text(json.dumps(_settings({**connections, **broken})))
        yield Stage(folder, vendors, database.file, file), rude


def canaries_of(stage: Stage) -> Canaries:
    """What is known before the first question."""
    canaries = Canaries()
    for secret in (SECRET, WRONG_SECRET, *ENVIRONMENT.values()):
        canaries.add_secret(secret)
    canaries.add_key(stage.folder / "client.key")
    for name in (*stage.vendors, "local", *BROKEN):
        canaries.add_tenant(f"{name}_demo", range(30))
    return canaries


def _identity(shape: str, folder: Path) -> dict[str, str]:
    if shape == "cerillion":
        return {"kind": "file", "file": str(folder / "customers.csv")}
    return {"kind": "pedkai_db", "dsn_file": str(folder / "dsn")}


def _broken(
    good: Mapping[str, Any], folder: Path, rude: RudeVendor
) -> Mapping[str, Mapping[str, Any]]:
    same_ids = {"identity": {"kind": "identity"}}
    signing = {
        "token_url": good["oauth2"]["token_url"],
        "client_id": "pedkai-sidecar",
        "method": "private_key_jwt",
        "signing_key_file": str(folder / "bad.key"),
    }
    return {
        "rude": {"vendor": "amdocs", "base_url": rude.base_url, "tls": good["tls"], **same_ids},
        "wrong_secret": {
            **good,
            **same_ids,
            "oauth2": {**good["oauth2"], "client_secret_file": str(folder / "wrong-secret")},
        },
        "bad_key": {**good, **same_ids, "tls": good["tls"] | {"key_file": str(folder / "bad.key")}},
        "bad_signing_key": {**good, **same_ids, "oauth2": signing},
        "no_database": {"vendor": "local", "database": {"dsn": "${TEST_DSN}"}},
        "bad_dsn": {"vendor": "local", "database": {"dsn_file": str(folder / "bad-dsn")}},
        "dead_proxy": {**good, **same_ids, "wire": {"egress_proxy": "${TEST_PROXY}"}},
        "unread_identity": {
            **good,
            "identity": {"kind": "pedkai_db", "dsn": "${TEST_DSN}"},
            "oauth2": _with_secret_of_environment(good["oauth2"]),
        },
    }


def _with_secret_of_environment(oauth2: Mapping[str, Any]) -> Mapping[str, Any]:
    kept = {name: value for name, value in oauth2.items() if name != "client_secret_file"}
    return {**kept, "client_secret": "${TEST_SECRET}"}


def _settings(connections: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "listeners": {name: {"port": 0} for name in ("data", "ops", "admin")},
        "logging": {"level": "debug", "format": "json"},
        "cache": {"store": "off"},  # each question reaches who may tell too much
        "connections": dict(connections),
        "tenants": {f"{name}_demo": {"connection": name} for name in connections},
    }


def _write_files(folder: Path, url: str) -> None:
    (folder / "dsn").write_text(url)
    (folder / "bad-dsn").write_text(f"mysql://{MARK}:{MARK}-password@{MARK}.example/x")
    (folder / "wrong-secret").write_text(WRONG_SECRET)
    kind = "PRIVATE KEY"
    body = f"{MARK}-key-material"
    (folder / "bad.key").write_text(f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n")
    with (folder / "customers.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["customer_id", "vendor_id"])
        rows.writerows(marked_ids("cerillion_demo", "cerillion").items())


async def _database(file: Path) -> pedkai.OnSqlite:
    database = pedkai.on_sqlite(file)
    mapped = [
        pedkai.Customer(one, f"{shape}_demo", vendor_id)
        for shape in SHAPES
        for one, vendor_id in marked_ids(f"{shape}_demo", shape).items()
    ]
    plan = pedkai.plan("local_demo", 73190.41, f"{MARK} plan")
    owners = [
        pedkai.customer("local_demo", customer_id("local_demo", number))
        for number in LOCAL_CUSTOMERS
    ]
    disputed = (NOW - timedelta(days=2)).replace(tzinfo=None)
    accounts = [pedkai.account(one, plan, last_billing_dispute=disputed) for one in owners]
    await database.fill(*mapped, plan, *owners, *accounts)
    return database
