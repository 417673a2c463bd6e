"""From a token or an answer that a vendor did not give to its cause and its cure. Pure."""

from adapters.outcome import LookupFailed, Reason
from config.settings import OAuth2
from proxy.doctor.findings import Advice

_HUNG_UP = "hung up"
_MAYBE_REFUSED = (
    "it may refuse the client certificate, or what stands before it may: ask the vendor which "
    "certificates it lets in"
)
_ELSEWHERE = "the steps above say more about the way there; look at the vendor's own state too"
_LATER = "the vendor is in trouble: tell it, and try again later"


def of_token(failure: LookupFailed, oauth2: OAuth2, *, status: int | None) -> Advice:
    """`status`: of the issuer's reply; `None` when there was none."""
    cause = failure.detail or str(failure.reason)
    if status is None:
        return Advice(cause=f"the token endpoint: {cause}", cure=_cure_of_no_reply(failure))
    if "invalid_client" in cause or (status == 401 and "invalid" not in cause):
        return Advice(
            cause=f"{cause}: the issuer does not accept our {_proof(oauth2)}",
            cure=_cure_of_client(oauth2),
        )
    return Advice(cause=cause, cure=_cure_of_reply(cause, status))


def _cure_of_no_reply(failure: LookupFailed) -> str:
    if _HUNG_UP in failure.detail:
        return _MAYBE_REFUSED
    if failure.reason is Reason.TLS:
        return "as the step `tls` of that host says"
    if failure.reason is Reason.AUTH:
        return "name the file that holds it, in oauth2"
    return _ELSEWHERE


def _proof(oauth2: OAuth2) -> str:
    return {
        "tls_client_auth": "client certificate",
        "private_key_jwt": "signed assertion",
    }.get(oauth2.method, "client id or client secret")


def _cure_of_client(oauth2: OAuth2) -> str:
    if oauth2.method == "tls_client_auth":
        return (
            "have the issuer register the subject (or names) of the client certificate shown "
            "above for oauth2.client_id"
        )
    if oauth2.method == "private_key_jwt":
        return (
            "have the issuer register the public half of the signing key; check "
            "oauth2.signing_key_id, oauth2.audience (the token URL unless set), and the clock of "
            "this machine"
        )
    where = oauth2.client_secret_file or "oauth2.client_secret"
    return (
        f"compare oauth2.client_id, and the secret in {where}, with what the issuer has now: it "
        "may have been rotated there and not here. If both are right, the issuer may want another "
        "oauth2.method"
    )


def _cure_of_reply(cause: str, status: int) -> str:
    for word, cure in _OF_ERRORS.items():
        if word in cause:
            return cure
    if status >= 500 or status == 429:
        return "the issuer is in trouble, or limits us: tell it, and try again later"
    if status == 200:
        return (
            "this is no token reply (RFC 6749, section 5.1): check oauth2.token_url, then ask "
            "the issuer"
        )
    if 300 <= status < 400:
        return (
            "nobody follows a redirect with a secret: write the final address into oauth2.token_url"
        )
    if status == 400:
        return (
            "it does not understand the request, or what stands before it wants a client "
            "certificate that it knows: check oauth2.token_url and oauth2.method, then tls"
        )
    return "check the path of oauth2.token_url"


_OF_ERRORS = {
    "unauthorized_client": "have the issuer allow the grant client_credentials for this client",
    "unsupported_grant_type": "check oauth2.token_url: this endpoint gives no tokens to clients",
    "invalid_scope": "check oauth2.scope: the issuer does not give this scope to this client",
    "token_type": "the sidecar sends bearer tokens only: have the issuer give these",
    "expires_in": "have the issuer say how many seconds its tokens live: without that one would "
    "be sent after its end",
}

_OF_WORDS = {
    _HUNG_UP: _MAYBE_REFUSED,
    "HTTP 400": "the vendor does not understand the question, or wants a client certificate that "
    "it was not shown: check tls, and the settings under tmf (version, party_filter)",
    "HTTP 403": "the vendor knows us, and does not allow this API: have it allow the client to "
    "read products, accounts and customers; check oauth2.scope",
    "HTTP 405": "the address is not the one of the API: check base_url or apis",
    "HTTP 407": "wire.egress_proxy wants a user and a password",
    "the content type is not JSON": "the address is one of a web page: check base_url or apis",
    "the body is larger": "raise wire.response_body, or have the vendor filter: check "
    "tmf.party_filter",
    "check the API's base URL": "check base_url or apis: what answers there does not know the "
    "resource",
    "is the filter ignored": "the vendor ignores the filter: check tmf.party_filter, "
    "tmf.account_filter and tmf.id_kind",
}
_OF_REASON = {
    Reason.TLS: "as the step `tls` of that host says",
    Reason.RATE_LIMITED: "the vendor limits us: ask it for more, or lower wire.concurrency",
    Reason.VENDOR_ERROR: _LATER,
    Reason.DEADLINE: "the vendor is too slow: tell it",
    Reason.BAD_RESPONSE: "the vendor answers, and not what was asked: check base_url, apis and the "
    "settings under tmf (version, id_kind, party_filter)",
}


def of_exchange(failure: LookupFailed, *, has_token: bool) -> Advice:
    """Why there was no answer to a question."""
    cause = failure.detail or f"the answer is of no use ({failure.reason})"
    if cause == "HTTP 401":
        return _of_401(has_token=has_token)
    for words, cure in _OF_WORDS.items():
        if words in cause:
            return Advice(cause=f"the vendor: {cause}", cure=cure)
    if cause.startswith("HTTP 3"):
        cure = "nobody follows a redirect with a token: write the final address into base_url"
        return Advice(cause=f"the vendor: {cause}, a redirect", cure=cure)
    return Advice(cause=f"the vendor: {cause}", cure=_OF_REASON.get(failure.reason, _ELSEWHERE))


def _of_401(*, has_token: bool) -> Advice:
    if not has_token:
        return Advice(
            cause="the vendor: HTTP 401, it wants a token, and none is configured",
            cure="write the group oauth2 of this connection",
        )
    return Advice(
        cause="the vendor: HTTP 401, it refuses the token that the issuer has just given",
        cure="check that the issuer is the one of this API and of this environment; then "
        "oauth2.scope, and whether tokens are bound to the client certificate (RFC 8705)",
    )
