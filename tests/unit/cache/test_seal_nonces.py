"""No nonce is ever used twice with a subkey: it would give away what both entries hold."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from proxy.cache.seal import SEALS_PER_SUBKEY, Sealer
from tests.unit.cache.sealing import HEADER_BYTES, opened, ring, seal

_SEALING = """
import ctypes, os, sys
from proxy.cache.keys import KeyRing
from proxy.cache.seal import Sealer

sealer = Sealer(KeyRing((bytes(31) + b"k",)))
first_pid = os.getpid()

def some(count=50):
    for _ in range(count):
        sealed = sealer.seal(b"", name=b"n", scope=b"s", issued_at_ms=1, expires_at_ms=2)
        os.write(1, sealed[:33].hex().encode() + b"\\n")

def child_of(fork, body):
    pid = fork()
    if not pid:
        body()
        os._exit(0)
    assert os.waitpid(pid, 0) == (pid, 0)

def forks():
    some()
    child_of(os.fork, some)
    some()

def under_a_pid_that_came_back():
    os.getpid = lambda: first_pid
    some()

def told_nobody():
    return ctypes.PyDLL(None).fork()

exec(sys.argv[1])
"""


def _sealed_in(story: str) -> list[str]:
    """The headers that a process and its children sealed, in their order."""
    arguments = [sys.executable, "-c", _SEALING, story]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.split()


def _subkeys(headers: list[str]) -> list[str]:
    return [header[:42] for header in headers]


def test_every_seal_has_a_nonce_of_its_own() -> None:
    sealer = Sealer(ring())
    headers = [seal(sealer)[:HEADER_BYTES] for _ in range(5_000)]
    assert len(set(headers)) == 5_000
    assert len({header[:21] for header in headers}) == 1
    numbers = [int.from_bytes(header[21:]) for header in headers]
    assert all(after == before + 1 for before, after in pairwise(numbers))


def test_the_same_plain_bytes_are_never_sealed_alike() -> None:
    sealer = Sealer(ring())
    assert len({seal(sealer)[HEADER_BYTES:] for _ in range(1_000)}) == 1_000


def test_a_worn_subkey_is_renewed() -> None:
    sealer = Sealer(ring(), renew_after=100)
    sealed = [seal(sealer) for _ in range(1_050)]
    headers = [one[:HEADER_BYTES] for one in sealed]
    assert len(set(headers)) == 1_050
    assert len({header[:21] for header in headers}) == 11
    assert max(int.from_bytes(header[21:]) for header in headers) == 99
    assert all(not isinstance(opened(Sealer(ring()), one), str) for one in sealed)


def test_a_subkey_is_worn_long_before_its_nonces_end() -> None:
    assert SEALS_PER_SUBKEY == 2**32 < 2**96


def test_threads_share_no_nonce() -> None:
    sealer = Sealer(ring(), renew_after=500)

    def some(_n: int) -> list[bytes]:
        return [seal(sealer)[:HEADER_BYTES] for _ in range(2_500)]

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(4) as threads:
            headers = [header for part in threads.map(some, range(4)) for header in part]
    finally:
        sys.setswitchinterval(before)
    assert len(set(headers)) == 10_000
    assert max(int.from_bytes(header[21:]) for header in headers) < 500


def test_a_salt_that_is_too_short_seals_nothing() -> None:
    with pytest.raises(ValueError, match="salt"):
        seal(Sealer(ring(), random=lambda size: bytes(size - 1)))


def test_processes_of_one_key_have_subkeys_of_their_own() -> None:
    headers = [header for _ in range(3) for header in _sealed_in("some(200)")]
    assert len(set(headers)) == 600
    assert len(set(_subkeys(headers))) == 3


@pytest.mark.parametrize(
    ("story", "seals", "subkeys"),
    [
        pytest.param("forks()", 150, 2, id="a child"),
        pytest.param("some(); child_of(os.fork, forks)", 200, 3, id="a child and its child"),
        pytest.param("child_of(os.fork, some); some()", 100, 2, id="before the first seal"),
        pytest.param(
            "some(); [child_of(os.fork, some) for _ in range(3)]; some()", 250, 4, id="siblings"
        ),
        pytest.param(
            "some(); child_of(os.fork, under_a_pid_that_came_back); some()",
            150,
            2,
            id="a pid that came back",
        ),
        pytest.param("some(); child_of(told_nobody, some); some()", 150, 2, id="told nobody"),
    ],
)
def test_a_forked_process_goes_on_under_a_subkey_of_its_own(
    story: str, seals: int, subkeys: int
) -> None:
    headers = _sealed_in(story)
    assert len(headers) == len(set(headers)) == seals
    assert len(set(_subkeys(headers))) == subkeys
