"""One question: whose, under which id, with which token, and what its answer means."""

import asyncio
import logging
import os
import ssl
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from pedkai_bss_client import (
    BillingAccountInfo,
    BSSUnavailable,
    Degraded,
    SidecarBSSAdapter,
    current_correlation_id,
    current_tenant,
)

from tests.client.double import (
    Behaviour,
    Seen,
    hangs,
    hangs_up,
    prices,
    problem,
    result,
    says,
    sidecar,
)

CUSTOMER = UUID("0d7a6c1e-5b0f-4c39-9a51-3f2f6c4b8e11")
ACCOUNT = {
    "customer_id": str(CUSTOMER),
    "account_id": None,
    "plan_name": "Fibre 900",
    "monthly_fee": 49.95,
    "currency": "GBP",
}
TOKEN, OTHER_TOKEN = "T" * 32, "U" * 32


def wants(token: str, then: Behaviour) -> Behaviour:
    async def behave(seen: Seen, writer: asyncio.StreamWriter) -> None:
        allowed = seen.headers.get("authorization") == f"Bearer {token}"
        await (then if allowed else problem("unauthorized", 401))(seen, writer)

    return behave


async def test_a_customer_is_what_the_sidecar_says() -> None:
    async with sidecar(says(ACCOUNT)) as double, SidecarBSSAdapter(double.url) as adapter:
        account = await adapter.get_billing_account(CUSTOMER)
    assert account == BillingAccountInfo(
        customer_id=CUSTOMER, plan_name="Fibre 900", monthly_fee=49.95
    )
    assert double.seen[0].path == f"/v1/customers/{CUSTOMER}/billing-account"
    assert double.seen[0].method == "GET"


@pytest.mark.parametrize("degrade", [False, True])
async def test_none_is_a_customer_whom_the_vendor_does_not_know(*, degrade: bool) -> None:
    unknown = problem("unknown-customer", 404)
    async with (
        sidecar(unknown) as double,
        SidecarBSSAdapter(double.url, degrade=degrade) as adapter,
    ):
        answer = await adapter.ask_billing_account(CUSTOMER)
    assert answer.value is None
    assert answer.degraded is None


FAILURES: dict[str, tuple[Behaviour, str, float | None]] = {
    "open": (
        problem("unavailable", 503, reason="breaker_open", retry_after="5"),
        "breaker_open",
        5.0,
    ),
    "odd": (
        problem("unavailable", 503, reason="A B\nC", retry_after="soon"),
        "sidecar_error",
        None,
    ),
    "tenant": (problem("unknown-tenant", 404), "sidecar_refused", None),
    "route": (says(b"Not Found", status=404), "sidecar_refused", None),
    "token": (problem("unauthorized", 401), "sidecar_refused", None),
    "invalid": (problem("invalid", 422), "sidecar_refused", None),
    "internal": (problem("internal", 500), "sidecar_error", None),
    "somebody else": (says(ACCOUNT | {"customer_id": str(uuid4())}), "sidecar_bad_response", None),
    "in part": (says({"customer_id": str(CUSTOMER)}), "sidecar_bad_response", None),
    "nothing": (hangs_up, "sidecar_unreachable", None),
    "hangs": (hangs, "sidecar_timeout", None),
}


@pytest.mark.parametrize(("behave", "reason", "retry_after"), FAILURES.values(), ids=FAILURES)
async def test_that_nobody_could_say_is_raised_with_the_reason(
    behave: Behaviour, reason: str, retry_after: float | None
) -> None:
    async with sidecar(behave) as double:
        async with SidecarBSSAdapter(double.url, timeout=0.3) as adapter:
            with pytest.raises(BSSUnavailable) as raised:
                await adapter.get_billing_account(CUSTOMER)
        async with SidecarBSSAdapter(double.url, timeout=0.3, degrade=True) as adapter:
            answer = await adapter.ask_billing_account(CUSTOMER)
            assert await adapter.get_billing_account(CUSTOMER) is None
    assert (raised.value.reason, raised.value.retry_after) == (reason, retry_after)
    assert answer.degraded == Degraded(reason, 1)
    assert str(CUSTOMER) not in f"{raised.value} {raised.value!r}"
    assert raised.value.__context__ is None, "an httpx error would carry the URL and the token"


async def test_an_id_that_is_none_is_nobody_could_say() -> None:
    async with sidecar(says(ACCOUNT)) as double, SidecarBSSAdapter(double.url) as adapter:
        with pytest.raises(BSSUnavailable, match="client_error"):
            await adapter.get_billing_account("../v1/status")  # type: ignore[arg-type]  # no UUID
        with pytest.raises(BSSUnavailable, match="client_error"):
            await adapter.check_disputes(["x"])  # type: ignore[list-item]  # no UUID
    assert double.seen == []


async def test_the_reason_of_a_degraded_answer_is_there_for_whoever_wants_it() -> None:
    headers = {"BSS-Degraded": "breaker_open;unavailable=2"}
    body = result(10.0, 1, 2, is_estimate=True)
    async with (
        sidecar(says(body, headers=headers)) as double,
        SidecarBSSAdapter(double.url) as adapter,
    ):
        answer = await adapter.ask_revenue_at_risk([uuid4() for _ in range(3)])
        assert answer.degraded == Degraded("breaker_open", 2)
        double.behave = says(ACCOUNT, headers={"BSS-Degraded": "stale;unavailable=0"})
        assert (await adapter.ask_billing_account(CUSTOMER)).degraded == Degraded("stale", 0)
        double.behave = says(ACCOUNT)
        assert (await adapter.ask_billing_account(CUSTOMER)).degraded is None


async def test_the_tenant_is_the_calls_or_the_adapters_or_the_contexts() -> None:
    async with sidecar(says(ACCOUNT)) as double:
        async with SidecarBSSAdapter(double.url) as adapter:
            await adapter.get_billing_account(CUSTOMER)
            current_tenant.set("from_context")
            current_correlation_id.set("from-context")
            await adapter.get_billing_account(CUSTOMER)
            await adapter.get_billing_account(CUSTOMER, tenant="of_call", correlation_id="of-call")
        async with SidecarBSSAdapter(double.url, tenant="of_adapter") as adapter:
            await adapter.get_billing_account(CUSTOMER)
    tenants = [seen.headers.get("x-tenant-id") for seen in double.seen]
    assert tenants == [None, "from_context", "of_call", "of_adapter"]
    made, *given = [seen.headers["x-correlation-id"] for seen in double.seen]
    assert given == ["from-context", "of-call", "from-context"]
    assert len(made) == 32


async def test_tasks_side_by_side_ask_each_for_their_own_tenant() -> None:
    async with sidecar(says(ACCOUNT)) as double, SidecarBSSAdapter(double.url) as adapter:

        async def work(tenant: str) -> None:
            current_tenant.set(tenant)
            await adapter.get_billing_account(CUSTOMER, correlation_id=tenant)

        await asyncio.gather(*(work(f"tenant_{n}") for n in range(20)))
    assert len(double.seen) == 20
    assert all(
        seen.headers["x-tenant-id"] == seen.headers["x-correlation-id"] for seen in double.seen
    )


@pytest.mark.parametrize("tenant", ["A", "x", "two words", "a\r\nX-Evil: 1", "ä" * 5])
async def test_what_is_no_tenant_is_never_sent(tenant: str) -> None:
    async with sidecar(prices({})) as double, SidecarBSSAdapter(double.url) as adapter:
        answer = await adapter.ask_revenue_at_risk([CUSTOMER], tenant=tenant)
    assert answer.degraded == Degraded("client_error", 1)
    assert answer.value.source == "unavailable"
    assert double.seen == []


async def test_a_correlation_id_can_break_neither_header_nor_log() -> None:
    async with sidecar(prices({})) as double, SidecarBSSAdapter(double.url) as adapter:
        answer = await adapter.ask_revenue_at_risk(
            [CUSTOMER], correlation_id="a\r\nX: ü" + "b" * 999
        )
    assert answer.correlation_id == double.seen[0].headers["x-correlation-id"]
    assert answer.correlation_id == "aX:" + "b" * 125


async def test_the_token_is_that_of_the_file_also_after_it_changed(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN + "\n")
    async with (
        sidecar(wants(TOKEN, says(ACCOUNT))) as double,
        SidecarBSSAdapter(double.url, token_file=file) as adapter,
    ):
        assert await adapter.get_billing_account(CUSTOMER) is not None
        double.behave = wants(OTHER_TOKEN, says(ACCOUNT))
        draft = tmp_path / "draft"
        draft.write_text(OTHER_TOKEN)
        draft.rename(file)
        assert await adapter.get_billing_account(CUSTOMER) is not None
    assert len(double.seen) == 2, "it was read again before it was refused"


async def test_a_refused_token_is_read_anew_once(tmp_path: Path) -> None:
    """The file changed in a way that its times and size do not show."""
    file = tmp_path / "token"
    file.write_text(TOKEN)
    times = file.stat()
    async with (
        sidecar(wants(TOKEN, says(ACCOUNT))) as double,
        SidecarBSSAdapter(double.url, token_file=str(file)) as adapter,
    ):
        await adapter.get_billing_account(CUSTOMER)
        file.write_text(OTHER_TOKEN)
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
        double.behave = wants(OTHER_TOKEN, says(ACCOUNT))
        assert await adapter.get_billing_account(CUSTOMER) is not None
        assert len(double.seen) == 3
        double.behave = problem("unauthorized", 401)
        with pytest.raises(BSSUnavailable, match="sidecar_refused"):
            await adapter.get_billing_account(CUSTOMER)
        tried = [seen.headers["authorization"] for seen in double.seen[3:]]
        assert tried == [f"Bearer {OTHER_TOKEN}", f"Bearer {TOKEN}"], "none of them twice"


async def test_a_sidecar_that_has_not_read_the_new_token_yet_gets_the_former(
    tmp_path: Path,
) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    async with (
        sidecar(wants(TOKEN, says(ACCOUNT))) as double,
        SidecarBSSAdapter(double.url, token_file=file) as adapter,
    ):
        await adapter.get_billing_account(CUSTOMER)
        file.write_text(OTHER_TOKEN + "\n")
        assert await adapter.get_billing_account(CUSTOMER) is not None
        file.unlink()
        assert await adapter.get_billing_account(CUSTOMER, correlation_id="gone") is not None


@pytest.mark.parametrize("kind", ["absent", "folder", "pipe", "empty", "two words", "binary"])
async def test_a_token_file_that_holds_none_is_said_in_the_log(
    kind: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "token"
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    elif kind != "absent":
        file.write_bytes({"empty": b"", "two words": b"a b", "binary": b"\xff\r\nX: 1"}[kind])
    async with (
        sidecar(wants(TOKEN, prices({}))) as double,
        SidecarBSSAdapter(double.url, token_file=file) as adapter,
    ):
        found = await adapter.get_revenue_at_risk([CUSTOMER])
    assert found.source == "unavailable"
    (line,) = [one for one in caplog.records if one.name == "pedkai_bss_client"]
    assert line.levelno == logging.ERROR
    assert str(file) in line.getMessage()
    assert "authorization" not in double.seen[0].headers


async def test_what_must_be_mended_is_an_error_and_what_passes_is_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    levels = {}
    for name in ("tenant", "token", "invalid", "internal", "hangs", "nothing", "open"):
        caplog.clear()
        async with (
            sidecar(FAILURES[name][0]) as double,
            SidecarBSSAdapter(double.url, timeout=0.3) as adapter,
        ):
            await adapter.get_revenue_at_risk([CUSTOMER])
        (line,) = caplog.records
        levels[name] = line.levelname
    assert levels == dict.fromkeys(("tenant", "token", "invalid"), "ERROR") | dict.fromkeys(
        ("internal", "hangs", "nothing", "open"), "WARNING"
    )


async def test_nobodys_id_fee_or_token_is_in_a_log_or_a_repr(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """At no level, nor in what the libraries below say at DEBUG."""
    caplog.set_level(logging.DEBUG)
    file = tmp_path / "token"
    file.write_text(TOKEN)
    shown = []
    async with (
        sidecar(says(ACCOUNT)) as double,
        SidecarBSSAdapter(double.url, token_file=file, tenant="acme_uk") as adapter,
    ):
        shown.append(await adapter.ask_billing_account(CUSTOMER))
        for behave in (prices({CUSTOMER: "49.95"}), says(b"49.95 Fibre 900"), hangs_up):
            double.behave = behave
            shown.append(await adapter.ask_revenue_at_risk([CUSTOMER]))
        double.behave = says({"customer_ids": [str(CUSTOMER)], "unavailable_customer_ids": []})
        shown.append(await adapter.ask_disputes([CUSTOMER]))
    shown += [answer.value for answer in shown] + [adapter]
    written = caplog.text + repr(shown)
    assert "sidecar_bad_response" in written
    for personal in (str(CUSTOMER), CUSTOMER.hex, "49.95", "Fibre 900", TOKEN):
        assert personal not in written


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8650", "ftp://localhost", "http://", "http://h:99999", "unix:relative.sock",
     "http://me:secret@localhost", "http://localhost/?q"],
)  # fmt: skip
def test_an_address_that_is_none_is_refused_when_the_adapter_is_made(url: str) -> None:
    if url == "":
        assert SidecarBSSAdapter(url) is not None, "as if it were not given"
        return
    with pytest.raises(ValueError, match=r"URL|socket|[Pp]ort") as raised:
        SidecarBSSAdapter(url)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf")])
def test_a_timeout_that_is_none_is_refused(timeout: float) -> None:
    with pytest.raises(ValueError, match="timeout"):
        SidecarBSSAdapter(timeout=timeout)


async def test_address_and_token_file_come_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "token"
    file.write_text(TOKEN)
    async with sidecar(wants(TOKEN, says(ACCOUNT)), tmp_path / "a.sock") as double:
        monkeypatch.setenv("BSS_SIDECAR_URL", double.url)
        monkeypatch.setenv("BSS_SIDECAR_TOKEN_FILE", str(file))
        async with SidecarBSSAdapter() as adapter:
            assert await adapter.get_billing_account(CUSTOMER) is not None


def test_over_https_the_sidecar_must_be_who_it_says() -> None:
    tls = SidecarBSSAdapter("https://bss-sidecar.internal:8650")._asker._wire._tls  # type: ignore[attr-defined]  # to look inside
    assert tls.verify_mode is ssl.CERT_REQUIRED
    assert tls.check_hostname
    assert tls.cert_store_stats()["x509_ca"] > 0
