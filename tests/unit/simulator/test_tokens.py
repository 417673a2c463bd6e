"""The token endpoint, asked as a client would, with assertions that are signed here."""

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from adapters.simulator.assertions import ASSERTION_TYPE
from adapters.simulator.certificates import PrivateKey, new_key
from adapters.simulator.reply import Reply
from adapters.simulator.tokens import RegisteredClient, TokenEndpoint, TokenRequest

URL = "https://vendor.example/oauth/token"
FORM = "application/x-www-form-urlencoded"
EC_KEY, RSA_KEY = new_key("ec"), new_key("rsa")


@dataclass
class Clock:
    now: datetime = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Desk:
    """A token endpoint, and the clock by which it goes."""

    key: PrivateKey = field(default_factory=lambda: EC_KEY)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        client = RegisteredClient(
            client_id="side car",
            client_secret="s:e+cret",
            certificate_name="bss-sidecar",
            signing_key=self.key.public_key(),
        )
        self.endpoint = TokenEndpoint(client, lifetime_s=60, now=self.clock, url=lambda: URL)

    def post(
        self,
        form: dict[str, str],
        *,
        authorization: str | None = None,
        certificate: str | None = "somebody",
        content_type: str = FORM,
        method: str = "POST",
    ) -> Reply:
        asked = {"grant_type": "client_credentials", **form}
        body = urlencode(asked).encode()
        return self.endpoint.answer(
            TokenRequest(method, body, content_type, authorization, certificate)
        )

    def assertion(self, algorithm: str = "ES256", **claims: Any) -> dict[str, str]:
        expiry = int(self.clock.now.timestamp()) + 60
        told = {"iss": "side car", "sub": "side car", "aud": URL, "exp": expiry, "jti": "1"}
        signed = signed_by(self.key, algorithm, told | claims)
        return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def signed_by(key: PrivateKey, algorithm: str, claims: dict[str, Any]) -> str:
    head = encoded(json.dumps({"alg": algorithm}).encode())
    text = f"{head}.{encoded(json.dumps(claims).encode())}"
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    else:
        r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{text}.{encoded(signature)}"


def basic(pair: str) -> str:
    return "Basic " + base64.b64encode(pair.encode()).decode()


def test_the_secret_is_taken_in_the_header_form_encoded() -> None:
    reply = Desk().post({}, authorization=basic("side+car:s%3Ae%2Bcret"))
    assert reply.status == 200
    token = json.loads(reply.body)
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 60)


def test_the_secret_is_taken_in_the_form() -> None:
    form = {"client_id": "side car", "client_secret": "s:e+cret", "scope": "billing"}
    reply = Desk().post(form)
    assert reply.status == 200
    assert json.loads(reply.body)["scope"] == "billing"


def test_the_certificate_is_enough_where_it_is_the_registered_one() -> None:
    assert Desk().post({"client_id": "side car"}, certificate="bss-sidecar").status == 200
    assert Desk().post({"client_id": "side car"}, certificate="somebody").status == 401
    assert Desk().post({"client_id": "side car"}, certificate=None).status == 401


@pytest.mark.parametrize(("key", "algorithm"), [(EC_KEY, "ES256"), (RSA_KEY, "RS256")])
def test_a_signed_assertion_is_taken_once(key: PrivateKey, algorithm: str) -> None:
    desk = Desk(key)
    assert desk.post(desk.assertion(algorithm)).status == 200
    assert desk.post(desk.assertion(algorithm)).status == 401
    assert desk.post(desk.assertion(algorithm, jti="2")).status == 200


def test_the_audience_of_an_assertion_may_be_one_of_a_list() -> None:
    desk = Desk()
    assert desk.post(desk.assertion(aud=["https://elsewhere.example", URL])).status == 200


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "https://elsewhere.example/token"},
        {"exp": 0},
        {"exp": 4_000_000_000},
        {"exp": 10**30},
        {"exp": "soon"},
        {"iss": "somebody"},
        {"sub": "somebody", "iss": "somebody"},
    ],
    ids=",".join,
)
def test_an_assertion_with_a_wrong_claim_is_refused(claims: dict[str, Any]) -> None:
    desk = Desk()
    assert desk.post(desk.assertion(**claims)).status == 401


@pytest.mark.parametrize("algorithm", ["none", "RS256", "HS256"])
def test_an_assertion_of_another_algorithm_is_refused(algorithm: str) -> None:
    desk = Desk()
    assert desk.post(desk.assertion(algorithm)).status == 401


def test_an_assertion_that_another_key_signed_is_refused() -> None:
    desk, other = Desk(), Desk(new_key())
    assert desk.post(other.assertion()).status == 401


@pytest.mark.parametrize("assertion", ["", "a.b", "a.b.c", "e30.e30.", "W10.W10.AA"])
def test_an_assertion_that_is_none_is_refused(assertion: str) -> None:
    form = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": assertion}
    assert Desk().post(form).status == 401


@pytest.mark.parametrize(
    "authorization",
    [
        basic("side+car:wrong"),
        basic("somebody:s%3Ae%2Bcret"),
        basic("nocolon"),
        "Basic ***",
        "Bearer abc",
    ],
)
def test_a_wrong_header_is_refused(authorization: str) -> None:
    reply = Desk().post({}, authorization=authorization)
    assert reply.status == 401
    assert json.loads(reply.body)["error"] == "invalid_client"


def test_two_ways_of_proving_at_once_are_refused() -> None:
    form = {"client_id": "side car", "client_secret": "s:e+cret"}
    assert Desk().post(form, authorization=basic("side+car:s%3Ae%2Bcret")).status == 401


def test_other_grants_content_types_and_methods_are_refused() -> None:
    good = {"client_id": "side car", "client_secret": "s:e+cret"}
    assert Desk().post({**good, "grant_type": "password"}).status == 400
    assert Desk().post(good, content_type="application/json").status == 400
    assert Desk().post(good, method="GET").status == 405


def test_a_token_holds_until_it_expires() -> None:
    desk = Desk()
    form = {"client_id": "side car", "client_secret": "s:e+cret"}
    token = json.loads(desk.post(form).body)["access_token"]
    desk.clock.now += timedelta(seconds=59)
    assert desk.endpoint.accepts(f"Bearer {token}")
    desk.clock.now += timedelta(seconds=1)
    assert not desk.endpoint.accepts(f"Bearer {token}")


def test_a_revoked_token_no_longer_holds() -> None:
    desk = Desk()
    form = {"client_id": "side car", "client_secret": "s:e+cret"}
    token = json.loads(desk.post(form).body)["access_token"]
    desk.endpoint.revoke_all()
    assert not desk.endpoint.accepts(f"Bearer {token}")


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", "Bearer made-up"])
def test_a_made_up_token_does_not_hold(authorization: str | None) -> None:
    assert not Desk().endpoint.accepts(authorization)


def test_no_repr_shows_a_secret() -> None:
    shown = repr(Desk().endpoint.client)
    assert "side car" in shown
    assert "cret" not in shown.replace("client_secret", "")
