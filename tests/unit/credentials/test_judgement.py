"""What is said of a set of files at a moment, without a file and without a clock."""

import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from adapters.outcome import Reason
from adapters.simulator.certificates import Authority, Issued, Validity
from proxy.credentials.certificates import CLIENT_AUTH, CertificateFacts
from proxy.credentials.files import READS, RawFile, RawSet, settled
from proxy.credentials.judgement import CLOCK_TOLERANCE, FileProblem, Judgement, judge
from tests.unit.credentials.conftest import NOW

CANARY = "canary-4711"
NOTHING = timedelta(0)
BELOW = Authority.create("Judging CA", now=NOW, intermediate=True)
OTHER = Authority.create("Other CA", now=NOW)
LEAF = BELOW.issue_client("sidecar")
DER = LEAF.certificate.public_bytes(serialization.Encoding.DER)


def raw_set(leaf: Issued = LEAF, **files: RawFile | None) -> RawSet:
    good = RawSet(
        certificate=RawFile("client certificate", "/m/client.pem", leaf.certificate_pem()),
        key=RawFile("client key", "/m/client.key", leaf.key_pem()),
        trust_bundle=RawFile("trust bundle", "/m/ca.pem", BELOW.trust_bundle()),
        client_secret=RawFile("client secret", "/m/secret", CANARY.encode() + b"\n"),
    )
    return replace(good, **files)


def lasting(begins: timedelta, ends: timedelta) -> Issued:
    return BELOW.issue_client(
        "sidecar", validity=Validity(not_before=NOW + begins, not_after=NOW + ends)
    )


def pems(*certificates: x509.Certificate) -> bytes:
    return b"".join(Issued(one, (), LEAF.key).certificate_pem() for one in certificates)


def certificate_file(*certificates: x509.Certificate) -> RawFile:
    return RawFile("client certificate", "/m/client.pem", pems(*certificates))


def bundle(content: bytes) -> RawFile:
    return RawFile("trust bundle", "/m/ca.pem", content)


def only_problem(judgement: Judgement) -> FileProblem:
    (problem,) = judgement.problems
    assert CANARY not in repr(judgement)
    return problem


def with_usage(*usages: x509.ObjectIdentifier) -> Issued:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sidecar")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(4711)
        .not_valid_before(NOW - timedelta(days=1))
        .not_valid_after(NOW + timedelta(days=3))
    )
    if usages:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
    return Issued(builder.sign(key, hashes.SHA256()), (), key)


def test_a_good_set_is_good_and_its_facts_are_told() -> None:
    judgement = judge(raw_set(), NOW)
    assert judgement.good
    assert judgement.warnings == ()
    assert judgement.valid_from is None
    leaf, intermediate = judgement.certificates.client
    assert leaf == CertificateFacts(
        subject="CN=sidecar",
        names=("sidecar",),
        issuer="CN=Judging CA intermediate",
        serial=LEAF.serial,
        not_before=NOW - timedelta(minutes=5),
        not_after=NOW + timedelta(days=30),
        usages=(CLIENT_AUTH,),
        is_authority=False,
        key="EC secp256r1",
    )
    assert intermediate.is_authority
    assert [one.subject for one in judgement.certificates.trusted] == ["CN=Judging CA"]
    assert judgement.client_secret is not None
    assert judgement.client_secret.get_secret_value() == CANARY
    assert CANARY not in repr(judgement)


def test_no_files_at_all_are_good() -> None:
    assert judge(RawSet(), NOW) == Judgement()


@pytest.mark.parametrize(
    ("spoilt", "what"),
    [
        (raw_set(key=RawFile("client key", "/m/client.key", problem="is empty")), "is empty"),
        (raw_set(key=RawFile("client key", "/m/client.key", OTHER.issuer.key_pem())), "belong"),
        (raw_set(certificate=certificate_file(LEAF.certificate, OTHER.root)), "is not a chain"),
        (raw_set(trust_bundle=bundle(b"CANARY")), "is not a PEM certificate"),
        (raw_set(trust_bundle=bundle((BELOW.trust_bundle() * 2)[:-40])), "is cut short"),
        (raw_set(client_secret=RawFile("client secret", "/m/secret", b"\xff")), "is not UTF-8"),
        (raw_set(client_secret=RawFile("client secret", "", problem="is empty")), "is empty"),
        (raw_set(signing_key=RawFile("signing key", "/m/key", b"x")), "is not a PEM private key"),
        (raw_set(settled=False), "keeps changing"),
    ],
)
def test_each_bad_file_is_one_problem_with_a_remedy(spoilt: RawSet, what: str) -> None:
    problem = only_problem(judge(spoilt, NOW))
    assert what in problem.what
    assert str(problem).endswith(f"; {problem.remedy}")
    assert problem.remedy
    assert problem.reason is (
        Reason.AUTH if problem.role in {"client secret", "signing key"} else Reason.TLS
    )
    assert problem.as_failure().reason is problem.reason


def test_everything_that_is_wrong_is_said_at_once() -> None:
    files = raw_set(
        certificate=RawFile("client certificate", "/m/client.pem", b"no"),
        key=RawFile("client key", "/m/client.key", b"no"),
        trust_bundle=bundle(b"no"),
        client_secret=RawFile("client secret", "/m/secret", problem="is empty"),
    )
    assert [one.role for one in judge(files, NOW).problems] == [
        "client certificate",
        "client key",
        "trust bundle",
        "client secret",
    ]


def test_files_that_keep_changing_are_looked_at_again_soon() -> None:
    assert judge(raw_set(settled=False), NOW).valid_from == NOW + timedelta(seconds=1)


def test_a_chain_in_another_order_is_told() -> None:
    three = [LEAF.certificate, BELOW.root, *LEAF.chain]
    assert (
        "certificate 2"
        in only_problem(judge(raw_set(certificate=certificate_file(*three)), NOW)).what
    )
    whole = [LEAF.certificate, *LEAF.chain, BELOW.root]
    assert judge(raw_set(certificate=certificate_file(*whole)), NOW).good


@pytest.mark.parametrize("past", [NOTHING, timedelta(seconds=30), timedelta(days=2)])
def test_a_certificate_that_has_ended_is_refused(past: timedelta) -> None:
    judgement = judge(raw_set(lasting(-timedelta(days=9), -past)), NOW)
    assert "ended on" in only_problem(judgement).what
    assert judgement.valid_from is None


@given(ahead_s=st.integers(0, 10**6), tolerance=st.sampled_from([NOTHING, CLOCK_TOLERANCE]))
def test_a_certificate_from_the_future_waits_exactly_for_its_time(
    ahead_s: int, tolerance: timedelta
) -> None:
    files = raw_set(lasting(timedelta(seconds=ahead_s), timedelta(days=30)))
    judgement = judge(files, NOW, tolerance=tolerance)
    if timedelta(seconds=ahead_s) <= tolerance:
        assert judgement.good
        return
    assert "is not valid before" in only_problem(judgement).what
    assert judgement.valid_from is not None
    just_before = judgement.valid_from - timedelta(seconds=1)
    assert not judge(files, just_before, tolerance=tolerance).good
    assert judge(files, judgement.valid_from, tolerance=tolerance).good


def test_a_set_waits_for_the_last_of_its_files() -> None:
    begins = timedelta(days=9)
    files = raw_set(lasting(begins, begins * 2), trust_bundle=bundle_of(ahead))
    assert judge(files, NOW, tolerance=NOTHING).valid_from == NOW + begins


def versions(*contents: bytes) -> Callable[[], RawSet]:
    reads = iter(contents)
    return lambda: RawSet(key=RawFile("client key", "/m/client.key", next(reads)))


def test_files_are_read_until_two_reads_agree() -> None:
    found = settled(versions(b"old", b"half", b"new", b"new", b"later"))
    assert found.settled
    assert [one.content for one in found.files] == [b"new"]
    restless = settled(versions(*(b"%d" % number for number in range(READS))))
    assert not restless.settled


@pytest.mark.parametrize(
    ("usages", "is_warned_of"),
    [
        ((), False),
        ((ExtendedKeyUsageOID.CLIENT_AUTH,), False),
        ((ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH), False),
        ((ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,), False),
        ((ExtendedKeyUsageOID.SERVER_AUTH,), True),
        ((x509.ObjectIdentifier("1.3.6.1.4.1.311.10.3.4"),), True),
    ],
)
def test_a_usage_that_is_not_for_clients_is_tried_with_a_warning(
    usages: tuple[x509.ObjectIdentifier, ...], *, is_warned_of: bool
) -> None:
    judgement = judge(raw_set(with_usage(*usages)), NOW)
    assert judgement.good
    assert [one.role for one in judgement.warnings] == ["client certificate"] * is_warned_of
    for one in judgement.warnings:
        assert "vendors may refuse it" in one.what
        assert "public CAs" in one.what


def bundle_of(*moments: Callable[[], datetime]) -> RawFile:
    return bundle(b"".join(Authority.create(now=at()).trust_bundle() for at in moments))


def over() -> datetime:
    return NOW - timedelta(days=366)


def current() -> datetime:
    return NOW


def ahead() -> datetime:
    return NOW + timedelta(days=1)


def test_a_bundle_without_a_valid_ca_is_refused() -> None:
    judgement = judge(raw_set(trust_bundle=bundle_of(over, over)), NOW)
    assert "no CA that is valid now" in only_problem(judgement).what
    assert judgement.valid_from is None
    waits = judge(raw_set(trust_bundle=bundle_of(over, ahead)), NOW)
    assert not waits.good
    assert waits.valid_from is not None
    assert judge(raw_set(trust_bundle=bundle_of(over, ahead)), waits.valid_from).good


def test_an_ended_ca_beside_a_valid_one_is_only_warned_of() -> None:
    judgement = judge(raw_set(trust_bundle=bundle_of(over, current, ahead)), NOW)
    assert judgement.good
    assert [one.role for one in judgement.warnings] == ["trust bundle"]


@given(st.binary(max_size=200), st.sampled_from(["certificate", "key", "trust_bundle"]))
def test_whatever_bytes_a_file_holds_they_are_judged_and_not_told(
    content: bytes, which: str
) -> None:
    file = RawFile("client key", "/m/x", content + CANARY.encode())
    judgement = judge(raw_set(**{which: file}), NOW)
    assert not judgement.good
    assert CANARY not in repr(judgement)


@pytest.mark.filterwarnings("ignore::cryptography.utils.CryptographyDeprecationWarning")
@given(st.integers(0, len(DER) - 1), st.integers(1, 255))
def test_a_certificate_with_one_byte_turned_over_is_judged_and_never_raises(
    place: int, turn: int
) -> None:
    """Its signature is nobody's business here: that of a leaf is for the vendor to check."""
    der = bytearray(DER)
    der[place] ^= turn
    content = ssl.DER_cert_to_PEM_cert(bytes(der)).encode()
    file = RawFile("client certificate", "/m/client.pem", content)
    judgement = judge(raw_set(certificate=file, trust_bundle=bundle(content)), NOW)
    assert judgement.good is (judgement.problems == ())


@given(st.integers(-(10**6), 10**7))
def test_the_share_of_life_that_is_left_falls_from_one_to_nothing(offset_s: int) -> None:
    facts = judge(raw_set(), NOW).certificates.client[0]
    share = facts.share_left(NOW + timedelta(seconds=offset_s))
    later = facts.share_left(NOW + timedelta(seconds=offset_s + 1000))
    assert 0 <= later <= share <= 1
    assert facts.share_left(facts.not_before) == 1
    assert facts.share_left(facts.not_after) == 0
