"""What a start is spared, and that nothing else is different for it."""

import dataclasses
import gc
import ssl
import subprocess
import sys
from dataclasses import FrozenInstanceError, dataclass, field

import pytest

from proxy.credentials.files import RawSet
from proxy.credentials.tls import client_context
from proxy.loading import loading

CREATE = "_create_fn"
"""Python 3.13 has none, and gains nothing here."""
LOADED = """
import ssl
from proxy.loading import loading
with loading():
    import aiohttp.connector
print(len(aiohttp.connector._SSL_CONTEXT_VERIFIED.get_ca_certs()))
print(ssl.create_default_context().verify_mode)
"""


def test_a_dataclass_made_meanwhile_is_one_like_any_other() -> None:
    with loading():

        @dataclass(frozen=True, slots=True, order=True)
        class Fee:
            pounds: int
            pence: int = 0
            note: str = field(default="", repr=False, compare=False)

    class Rebate(Fee):
        __slots__ = ()

    one, same, more = Fee(3, 50, "a"), Fee(3, 50, "b"), Fee(4)
    for _ in range(2):  # made by its first call, and then there
        assert one == same != more
        assert hash(one) == hash(same)
        assert len({one, same, more}) == 2
        assert one < more
        assert repr(one).endswith("Fee(pounds=3, pence=50)")
        assert one != Rebate(3, 50)
        assert repr(Rebate(3)).endswith("Rebate(pounds=3, pence=0)")
        with pytest.raises(FrozenInstanceError, match="cannot assign to field 'pence'"):
            one.pence = 1  # type: ignore[misc]  # what must not be possible is tried
        with pytest.raises(FrozenInstanceError, match="cannot delete field 'pence'"):
            del one.pence  # type: ignore[misc]  # as above
    assert Fee.__eq__.__qualname__.endswith("Fee.__eq__")
    assert dataclasses.replace(one, pence=0) == Fee(3)


@pytest.mark.skipif(not hasattr(dataclasses, CREATE), reason="this Python makes methods at once")
def test_a_method_is_made_by_its_first_call_and_is_then_the_usual_one() -> None:
    with loading():

        @dataclass
        class Made:
            one: int

    @dataclass
    class Usual:
        one: int

    assert Made.__eq__.__code__.co_varnames != Usual.__eq__.__code__.co_varnames
    assert Made(1) == Made(1)
    assert Made.__eq__.__code__.co_code == Usual.__eq__.__code__.co_code


def test_everything_is_as_before_when_loading_is_over_even_if_it_failed() -> None:
    before = ssl.create_default_context, getattr(dataclasses, CREATE, None), gc.isenabled()
    with pytest.raises(ImportError), loading():
        _fail(before)
    after = ssl.create_default_context, getattr(dataclasses, CREATE, None), gc.isenabled()
    assert before == after


def _fail(before: tuple[object, ...]) -> None:
    assert ssl.create_default_context is not before[0]
    assert not gc.isenabled()
    raise ImportError


def test_the_context_that_no_exchange_uses_trusts_nobody_and_any_other_is_as_it_was() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", LOADED], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["0", "2"]


def test_a_connection_without_a_trust_bundle_trusts_whom_the_system_trusts() -> None:
    nobody = RawSet(certificate=None, key=None, trust_bundle=None)
    usual = ssl.create_default_context()
    assert client_context(nobody).cert_store_stats() == usual.cert_store_stats()
