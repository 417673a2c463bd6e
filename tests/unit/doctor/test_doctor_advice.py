"""From what went wrong to cause and cure, where no real server says it."""

import socket
import ssl
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.outcome import LookupFailed, Reason
from config.settings import OAuth2
from proxy.credentials.certificates import CertificateFacts
from proxy.doctor import database_advice
from proxy.doctor.advice import Introduction, Trust, of_address, of_connection, of_handshake
from proxy.doctor.certificates import facts_of, names_of, renewal_advice, span
from proxy.doctor.exchange_advice import of_exchange, of_token
from proxy.doctor.reaching import Endpoint, Handshake, endpoint_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
VENDOR = Endpoint("bss.example.com", 443, is_https=True)


def certificate(
    *, begins: timedelta = -timedelta(days=50), ends: timedelta = timedelta(days=50)
) -> CertificateFacts:
    return CertificateFacts(
        subject="CN=leaf",
        names=("leaf.example.com",),
        issuer="CN=an authority",
        serial=17,
        not_before=NOW + begins,
        not_after=NOW + ends,
        usages=None,
        is_authority=False,
        key="EC secp256r1",
    )


def introduction(client: CertificateFacts | None = None, bundle: str | None = None) -> Introduction:
    return Introduction(
        endpoint=VENDOR, trust=Trust(bundle), client=client, certificate_file="c.pem", now=NOW
    )


def alert(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, "whatever a server says")
    error.reason = reason
    return error


def refused(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "whatever OpenSSL says")
    error.verify_code = code
    return error


@pytest.mark.parametrize(
    ("error", "cause", "cure"),
    [
        (TimeoutError(), "name service did not answer", "kube-dns"),
        (socket.gaierror(socket.EAI_NONAME, "?"), "is not known here (EAI_NONAME)", "host is writ"),
    ],
)
def test_a_name_that_does_not_resolve(error: OSError, cause: str, cure: str) -> None:
    advice = of_address(VENDOR, error)
    assert cause in advice.cause
    assert cure in advice.cure


@pytest.mark.parametrize(
    ("error", "cause", "cure"),
    [
        (TimeoutError(), "drops the packets", "NetworkPolicies"),
        (ConnectionRefusedError(), "nobody listens on bss.example.com:443", "check the port"),
        (OSError(113, "no route"), "no way to bss.example.com:443 (OSError)", "IPv6"),
    ],
)
def test_a_connection_that_does_not_come_about(error: OSError, cause: str, cure: str) -> None:
    advice = of_connection(VENDOR, error)
    assert cause in advice.cause
    assert cure in advice.cure


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        ("TLSV1_ALERT_UNKNOWN_CA", "does not trust the issuer"),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "has expired"),
        ("SSLV3_ALERT_CERTIFICATE_REVOKED", "was revoked"),
        ("TLSV1_ALERT_ACCESS_DENIED", "does not let it in"),
        ("TLSV1_ALERT_PROTOCOL_VERSION", "no TLS version that is still safe"),
        ("TLSV1_UNRECOGNIZED_NAME_ALERT", "no site of the name bss.example.com"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "refuses our client certificate (bad_certificate)"),
    ],
)
def test_each_alert_has_its_cause(reason: str, cause: str) -> None:
    advice = of_handshake(Handshake(problem=alert(reason)), introduction(certificate()))
    assert advice is not None
    if "UNRECOGNIZED" in reason:
        assert "tls.server_name" in advice.cure
    assert cause in advice.cause
    assert "{" not in advice.cause + advice.cure


def test_a_handshake_that_hangs_and_one_that_ends_well() -> None:
    advice = of_handshake(Handshake(problem=TimeoutError()), introduction())
    assert advice is not None
    assert "did not finish the TLS handshake" in advice.cause
    assert of_handshake(Handshake(), introduction()) is None


def test_without_a_bundle_the_cure_is_to_name_one() -> None:
    shown = Handshake(chain=(certificate(),), problem=refused(20))
    advice = of_handshake(shown, introduction())
    assert advice is not None
    assert "the system's authorities are trusted" in advice.cause
    assert "tls.trust_bundle_file" in advice.cure


@pytest.mark.parametrize("code", [9, 10, 20, 62, 64, 26])
def test_a_server_certificate_that_could_not_be_looked_at_is_explained_all_the_same(
    code: int,
) -> None:
    """A server that speaks TLS 1.2 shows it only to who shows one too."""
    advice = of_handshake(Handshake(problem=refused(code)), introduction(bundle="ca.pem"))
    assert advice is not None
    assert "certificate" in advice.cause
    assert advice.cure


def test_names_of_a_certificate_that_could_move_a_terminal_do_not() -> None:
    odd = CertificateFacts(
        subject="CN=\x1b[31mred",
        names=tuple(f"\x07{number}" for number in range(20)),
        issuer="CN=\nnew line",
        serial=1,
        not_before=NOW,
        not_after=NOW + timedelta(days=1),
        usages=("1.2.3",),
        is_authority=False,
        key="EC",
    )
    told = "".join(fact.text for fact in facts_of((odd, odd), NOW))
    assert told.isprintable()
    assert names_of(odd)[-1] == "and 12 more"


@given(days=st.integers(1, 4000), share=st.floats(0.001, 0.999))
def test_renewal_goes_by_the_share_of_a_life_and_not_by_days(days: int, share: float) -> None:
    life = timedelta(days=days)
    one = certificate(begins=-life * (1 - share), ends=life * share)
    assert bool(renewal_advice((one,), "it", NOW)) is (one.share_left(NOW) < 1 / 3)


def test_a_certificate_that_has_ended_is_told_by_other_words_than_renewal() -> None:
    assert not renewal_advice((certificate(ends=-timedelta(1)),), "it", NOW)
    assert not renewal_advice((), "it", NOW)


@pytest.mark.parametrize(
    ("time", "words"),
    [
        (timedelta(days=3), "3 days"),
        (timedelta(days=1, hours=23), "47 hours"),
        (timedelta(minutes=119), "119 minutes"),
        (timedelta(seconds=119), "119 seconds"),
    ],
)
def test_a_span_is_in_the_largest_unit_of_which_there_are_two(time: timedelta, words: str) -> None:
    assert span(time) == words


@pytest.mark.parametrize(
    ("detail", "status", "cure"),
    [
        ("HTTP 400 unauthorized_client", 400, "client_credentials"),
        ("HTTP 400 unsupported_grant_type", 400, "oauth2.token_url"),
        ("HTTP 400 invalid_scope", 400, "oauth2.scope"),
        ("token_type is not Bearer", 200, "bearer tokens only"),
        ("expires_in is missing or not a number", 200, "how many seconds"),
        ("HTTP 429", 429, "limits us"),
        ("HTTP 404", 404, "the path of oauth2.token_url"),
        ("HTTP 400", 400, "wants a client certificate"),
    ],
)
def test_each_refusal_of_an_issuer_has_its_cure(detail: str, status: int, cure: str) -> None:
    oauth2 = OAuth2(token_url="https://issuer.example.com/token", client_id="us")
    assert cure in of_token(LookupFailed(Reason.AUTH, detail), oauth2, status=status).cure


@pytest.mark.parametrize(
    ("failure", "cure"),
    [
        (LookupFailed(Reason.UNREACHABLE, "the server hung up, as it does"), "client certificate"),
        (LookupFailed(Reason.TLS, "TLS failed"), "as the step `tls`"),
        (LookupFailed(Reason.AUTH, "client_secret_post needs a client secret"), "name the file"),
        (LookupFailed(Reason.UNREACHABLE, "no answer in time"), "the steps above"),
    ],
)
def test_an_issuer_that_did_not_reply(failure: LookupFailed, cure: str) -> None:
    oauth2 = OAuth2(token_url="https://issuer.example.com/token", client_id="us")
    advice = of_token(failure, oauth2, status=None)
    assert failure.detail in advice.cause
    assert cure in advice.cure


def test_a_vendor_that_wants_a_token_where_none_is_configured() -> None:
    advice = of_exchange(LookupFailed(Reason.AUTH, "HTTP 401"), has_token=False)
    assert "none is configured" in advice.cause
    assert "oauth2" in advice.cure


@pytest.mark.parametrize("reason", list(Reason))
def test_whatever_goes_wrong_there_is_a_cause_and_a_cure(reason: Reason) -> None:
    for advice in (
        of_exchange(LookupFailed(reason), has_token=True),
        database_advice.of_connecting(LookupFailed(reason), "postgresql db:5432/pedkai"),
        database_advice.of_reading(LookupFailed(reason)),
    ):
        assert len(advice.cause) > 20
        assert len(advice.cure) > 15
        assert "{" not in advice.cause + advice.cure


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://bss.example.com/x", "bss.example.com:443"),
        ("http://bss.example.com", "bss.example.com:80"),
        ("https://[::1]:8443/", "[::1]:8443"),
    ],
)
def test_an_endpoint_is_host_and_port(url: str, shown: str) -> None:
    assert str(endpoint_of(url)) == shown
