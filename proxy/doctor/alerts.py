"""What a server means by the TLS alert with which it ends a handshake. Pure.

Source: RFC 8446, section 6.2. OpenSSL spells them `TLSV1_ALERT_UNKNOWN_CA`.
"""

from collections.abc import Mapping

from proxy.doctor.findings import Advice

_NAME_ONE = (
    "name the certificate and the key that the vendor knows in tls.certificate_file and "
    "tls.key_file"
)
_REFUSED = Advice(
    cause="the vendor refuses our client certificate ({alert})",
    cure="ask the vendor whether it knows {subject}, issued by {issuer}; it may want usage "
    "`clientAuth`, or intermediates below the certificate in {file}",
)
_NOT_SHOWN = Advice(
    cause="the vendor ends the handshake ({alert}); no client certificate was shown, and it may "
    "want one",
    cure=_NAME_ONE,
)
_ALERTS = {
    "UNKNOWN_CA": Advice(
        cause="the vendor does not trust the issuer of our client certificate, {issuer}",
        cure="give the vendor the certificate of that issuer, or use a client certificate that "
        "the vendor issued; if there are intermediates, {file} must hold them below the "
        "certificate",
    ),
    "CERTIFICATE_EXPIRED": Advice(
        cause="the vendor says that our client certificate has expired",
        cure="renew {file}; if its dates are good, the vendor's clock is wrong",
    ),
    "CERTIFICATE_REVOKED": Advice(
        cause="the vendor says that our client certificate was revoked",
        cure="have a new one issued, and mount it as {file}",
    ),
    "CERTIFICATE_REQUIRED": Advice(
        cause="the vendor demands a client certificate, and was shown none", cure=_NAME_ONE
    ),
    "ACCESS_DENIED": Advice(
        cause="the vendor knows our client certificate, and does not let it in",
        cure="ask the vendor to allow {subject}",
    ),
    "PROTOCOL_VERSION": Advice(
        cause="the vendor speaks no TLS version that is still safe (1.2 or 1.3)",
        cure="the vendor must allow TLS 1.2 or newer",
    ),
    "UNRECOGNIZED_NAME": Advice(
        cause="the server knows no site of the name {name}",
        cure="check the host in the URL, or set tls.server_name to the name that it does know",
    ),
}


def of_alert(reason: str, words: Mapping[str, str], *, showed_one: bool) -> Advice:
    """`words`: `issuer` and `subject` of the client certificate, its `file`, the server's `name`.

    `showed_one`: whether there is a client certificate.
    """
    usual = _REFUSED if showed_one else _NOT_SHOWN
    advice = next((known for alert, known in _ALERTS.items() if alert in reason), usual)
    return _filled(advice, {**words, "alert": reason.rpartition("ALERT_")[2].lower()})


def of_hang_up(error: str, words: Mapping[str, str], *, showed_one: bool) -> Advice:
    """Where a server just ends the connection."""
    usual = _REFUSED if showed_one else _NOT_SHOWN
    maybe = "it refuses our client certificate" if showed_one else "it wants a client certificate"
    cause = f"the server hung up during or after the TLS handshake ({error}): perhaps {maybe}"
    return Advice(cause=cause, cure=_filled(usual, {**words, "alert": ""}).cure)


def _filled(advice: Advice, words: Mapping[str, str]) -> Advice:
    return Advice(cause=advice.cause.format_map(words), cure=advice.cure.format_map(words))
