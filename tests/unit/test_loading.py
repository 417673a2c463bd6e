"""What a start is spared, and that nothing else is different for it."""

import gc
import ssl
import subprocess
import sys

import pytest

from proxy.credentials.files import RawSet
from proxy.credentials.tls import client_context
from proxy.loading import loading

LOADED = """
import ssl
from proxy.loading import loading
with loading():
    import aiohttp.connector
print(len(aiohttp.connector._SSL_CONTEXT_VERIFIED.get_ca_certs()))
print(ssl.create_default_context().verify_mode)
"""


def test_everything_is_as_before_when_loading_is_over_even_if_it_failed() -> None:
    before = ssl.create_default_context, gc.isenabled()
    with pytest.raises(ImportError), loading():
        _fail(before)
    after = ssl.create_default_context, gc.isenabled()
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
