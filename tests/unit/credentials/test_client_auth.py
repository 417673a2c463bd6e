"""What a client sends to prove itself, with every method."""

import base64
import json
import ssl
from collections.abc import Mapping
from urllib.parse import parse_qs, unquote_plus

import authlib.oauth2.client as authlib_client
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.jwk import ECKey, RSAKey
from pydantic import SecretStr

from adapters.outcome import LookupFailed, Reason
from adapters.simulator.assertions import AssertionVerifier
from config.settings import OAuth2
from proxy.credentials.assertion import ASSERTION_LIFE_S, CLOCK_SKEW_S
from proxy.credentials.client_auth import request_token
from proxy.credentials.signing import SigningKey
from proxy.credentials.snapshot import Credentials
from tests.unit.credentials.conftest import NOW

URL = "https://issuer.test/token?tenant=a"
CONTEXT = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Post:
    """Notes what is sent."""

    def __init__(self) -> None:
        self.url = ""
        self.headers: Mapping[str, str] = {}
        self.form: dict[str, list[str]] = {}
        self.status, self.body = 200, b""

    async def __call__(self, url: str, headers: Mapping[str, str], form: str) -> "Post":
        self.url, self.headers = url, headers
        self.form = parse_qs(form, strict_parsing=True)
        return self


async def sent(credentials: Credentials, **settings: str) -> Post:
    oauth2 = OAuth2.model_validate({"token_url": URL, "client_id": "id:ä"} | settings)
    post = Post()
    await request_token(oauth2, credentials, post, now=NOW)
    assert post.url == URL
    assert post.form["grant_type"] == ["client_credentials"]
    assert post.headers["Content-Type"] == "application/x-www-form-urlencoded"
    return post


def with_secret(secret: str = "s %:ä&") -> Credentials:
    return Credentials(version=1, tls=CONTEXT, client_secret=SecretStr(secret))


async def test_basic_form_encodes_id_and_secret_first() -> None:
    post = await sent(with_secret(), method="client_secret_basic", scope="billing read")
    kind, _, pair = post.headers["Authorization"].partition(" ")
    client_id, _, secret = base64.b64decode(pair).decode().partition(":")
    assert (kind, unquote_plus(client_id), unquote_plus(secret)) == ("Basic", "id:ä", "s %:ä&")
    assert post.form == {"grant_type": ["client_credentials"], "scope": ["billing read"]}


async def test_basic_leaves_no_secret_in_what_authlib_shares() -> None:
    await sent(with_secret(), method="client_secret_basic")
    assert "Authorization" not in authlib_client.DEFAULT_HEADERS


async def test_post_puts_id_and_secret_into_the_form() -> None:
    post = await sent(with_secret(), method="client_secret_post")
    assert (post.form["client_id"], post.form["client_secret"]) == (["id:ä"], ["s %:ä&"])
    assert "Authorization" not in post.headers


async def test_with_tls_client_auth_the_form_has_the_id_alone() -> None:
    post = await sent(Credentials(version=1, tls=CONTEXT), method="tls_client_auth")
    assert post.form == {"grant_type": ["client_credentials"], "client_id": ["id:ä"]}
    assert "Authorization" not in post.headers


EC_KEY = ec.generate_private_key(ec.SECP256R1())
RSA_KEY = rsa.generate_private_key(65537, 2048)


def signing(key: SigningKey) -> Credentials:
    return Credentials(version=1, tls=CONTEXT, signing_key=key)


@pytest.mark.parametrize(
    ("key", "public"),
    [
        (SigningKey(ECKey.import_key(EC_KEY), "ES256"), EC_KEY.public_key()),
        (SigningKey(RSAKey.import_key(RSA_KEY), "RS256"), RSA_KEY.public_key()),
    ],
    ids=["ec", "rsa"],
)
async def test_an_assertion_holds_for_those_who_verify_it_and_once(
    key: SigningKey, public: ec.EllipticCurvePublicKey | rsa.RSAPublicKey
) -> None:
    verifier = AssertionVerifier(audience=lambda: URL)
    for _ in range(2):
        post = await sent(signing(key), method="private_key_jwt")
        (assertion,) = post.form["client_assertion"]
        assert post.form["client_assertion_type"] == [
            "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        ]
        assert verifier.verify(assertion, public, NOW) == "id:ä"
    assert verifier.verify(assertion, public, NOW) is None


async def test_an_assertion_is_short_lived_and_says_whose_and_for_whom() -> None:
    key = signing(SigningKey(ECKey.import_key(EC_KEY), "ES256"))
    post = await sent(
        key, method="private_key_jwt", signing_key_id="k1", audience="https://audience.test"
    )
    head, claims = (
        json.loads(base64.urlsafe_b64decode(part + "=="))
        for part in post.form["client_assertion"][0].split(".")[:2]
    )
    assert head == {"alg": "ES256", "kid": "k1", "typ": "JWT"}
    assert claims["iat"] == NOW.timestamp() - CLOCK_SKEW_S
    assert claims["exp"] == NOW.timestamp() + ASSERTION_LIFE_S
    assert claims["aud"] == "https://audience.test"
    assert claims["iss"] == claims["sub"] == "id:ä"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
async def test_a_method_without_what_it_needs_is_a_matter_of_auth(method: str) -> None:
    with pytest.raises(LookupFailed, match=f"{method} needs") as failed:
        await sent(Credentials(version=1, tls=CONTEXT), method=method)
    assert failed.value.reason is Reason.AUTH
