"""What a dump of the store, a log line or a traceback shows of customers and of keys: nothing."""

import pickle
import traceback
from base64 import b64encode, urlsafe_b64decode
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from uuid import UUID

import pytest

from adapters.outcome import Billing, Dispute, Found, Missing
from proxy.cache.codec import Kept, encode
from proxy.cache.keys import KeyRings
from proxy.cache.names import PREFIX, Names, Question, scope
from proxy.cache.seal import LARGEST_PLAIN_BYTES, Opened, Sealer
from tests.servers.disguises import disguised, everywhere, of_fee, of_text, of_uuid
from tests.unit.cache.sealing import HEADER_BYTES, NAME, NOW_MS, SCOPE, hkdf, key, ring, seal

TENANT, CONNECTION = "canary_tenant", "canary-connection"
CUSTOMER = UUID("ca9a57c0-5701-4e2a-8b1d-c057000a4e51")
BILLING = Billing(
    account_id=UUID("acc0a47c-a9a5-4acc-9a4e-acc0047ca9a5"),
    plan_name="Canary Fibre Extraordinaire",
    monthly_fee=Decimal("731.37"),
    currency="XTS",
)
KEPT: tuple[tuple[Question, Kept], ...] = (
    ("billing", Found(BILLING)),
    ("billing", Missing()),
    ("disputes", Found(Dispute(active=True))),
    ("disputes", Found(Dispute(active=False))),
)
RINGS = KeyRings(ring(1, 2), ring(3, 4))
NOT_KEPT = (Billing(plan_name="Canary" * 2_000), Billing(monthly_fee=Decimal("NaN731")))


def _canaries() -> Iterator[bytes]:
    for text in (TENANT, CONNECTION, BILLING.plan_name or "", "canary", "Fibre", "billing"):
        yield from of_text(text)
    yield from of_text("disputes")
    for one in (CUSTOMER, BILLING.account_id):
        assert one is not None
        yield from of_uuid(one)
    assert BILLING.monthly_fee is not None
    yield from of_fee(BILLING.monthly_fee)
    for _, kept in KEPT[:1]:
        yield encode(kept)
        yield encode(kept)[1:]


def _secrets() -> Iterator[bytes]:
    for master in (*RINGS.master.keys, *RINGS.names.keys):
        yield master
        yield hkdf(master, b"", b"bss-sidecar cache 1: subkey", 32)
        yield repr(master)[2:-1].encode()


@pytest.fixture(scope="module")
def dump() -> bytes:
    """All names and values that a store would see, and the bytes that the names spell."""
    names, sealer = Names(RINGS.names), Sealer(RINGS.master)
    graves = names.tombstones(TENANT, CONNECTION, CUSTOMER)
    shown = list(graves)
    for question, kept in KEPT:
        for name in names.every(TENANT, CONNECTION, question, CUSTOMER):
            sealed = sealer.seal(
                encode(kept),
                name=name,
                scope=scope(TENANT, CONNECTION, question),
                issued_at_ms=NOW_MS,
                expires_at_ms=NOW_MS + 30_000,
            )
            shown += [name, sealed]
    spelled = [
        urlsafe_b64decode(one[len(PREFIX) :] + b"=") for one in shown if one.startswith(PREFIX)
    ]
    return b"\n".join(shown + spelled)


def test_a_dump_of_the_store_shows_nothing_of_anybody_in_any_encoding(dump: bytes) -> None:
    wanted = disguised(_canaries())
    assert len(wanted) > 1_000
    assert not [form for form in wanted if form in dump]


def test_a_dump_of_the_store_shows_nothing_of_any_key(dump: bytes) -> None:
    wanted = {form[:16] for raw in _secrets() for form in everywhere(raw)}
    assert not [form for form in wanted if form in dump]


def test_the_search_finds_what_is_shown() -> None:
    """A search that finds nothing in plain bytes would prove nothing of sealed ones."""
    plain = encode(Found(BILLING))
    wanted = disguised(_canaries())
    for shown in (plain, plain.hex().encode(), b64encode(b"x" + plain), b64encode(plain)):
        assert any(form in shown for form in wanted)
    for form in everywhere(CUSTOMER.bytes):
        assert form in wanted


def test_a_dump_of_two_entries_does_not_tell_which_one_is_missing() -> None:
    sealer = Sealer(RINGS.master)
    assert len({len(seal(sealer, encode(kept))) for _, kept in KEPT}) == 1


def _shown_by(failing: Callable[[], object]) -> str:
    """All that a log could make of an exception and of those it hangs on, but for local names."""
    with pytest.raises((ValueError, TypeError)) as refusal:
        failing()
    shown, error = [], refusal.value
    whole = "".join(traceback.format_exception(error))
    while error is not None:
        shown += [str(error), repr(error), repr(error.args), repr(vars(error))]
        error = error.__cause__ or error.__context__  # type: ignore[assignment]  # any exception
    return whole + "".join(shown)


def _sealing(sealer: Sealer, **changed: object) -> Callable[[], object]:
    arguments = {
        "plain": encode(Found(BILLING)),
        "name": NAME,
        "scope": SCOPE,
        "issued_at_ms": NOW_MS,
        "expires_at_ms": NOW_MS + 1,
    } | changed
    return lambda: sealer.seal(**arguments)  # type: ignore[arg-type]  # some are wrong on purpose


def test_no_failure_shows_a_key_or_what_was_sealed() -> None:
    sealer = Sealer(RINGS.master)
    plain = encode(Found(BILLING))
    failures: list[Callable[[], object]] = [
        _sealing(sealer, expires_at_ms=0),
        _sealing(sealer, plain=plain * (LARGEST_PLAIN_BYTES // len(plain) + 1)),
        _sealing(Sealer(RINGS.master, random=lambda size: b"")),
        _sealing(sealer, plain="Canary Fibre"),
        _sealing(sealer, name="canary"),
        lambda: pickle.dumps(sealer),
        *(partial(encode, Found(one)) for one in NOT_KEPT),
        lambda: KeyRings(RINGS.master, RINGS.master),
    ]
    wanted = {form[:16] for raw in _secrets() for form in everywhere(raw)}
    wanted |= {b"Fibre Extra", b"731.37", b"NaN731", b"CanaryCanary"}
    for failing in failures:
        shown = _shown_by(failing).encode()
        assert not [form for form in wanted if form in shown]


def test_nothing_that_is_held_shows_a_key_or_what_was_opened() -> None:
    sealer = Sealer(RINGS.master)
    sealed = seal(sealer, encode(Found(BILLING)))
    found = sealer.open(sealed, name=NAME, scope=SCOPE, now_ms=NOW_MS)
    assert isinstance(found, Opened)
    assert repr(found) == f"{found}" == "Opened()"
    held = [sealer, sealer._pen, sealer._subkeys, sealer._ring, found, Names(RINGS.names), RINGS]
    shown = "".join(map(repr, held)).encode()
    wanted = {form[:16] for raw in _secrets() for form in everywhere(raw)}
    wanted |= {key(1)[:8], repr(key(1))[2:20].encode(), b"Canary", encode(Found(BILLING))[:8]}
    assert not [form for form in wanted if form in shown]
    assert len(sealed) > HEADER_BYTES
