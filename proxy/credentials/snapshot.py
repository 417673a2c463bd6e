"""What the mounted files say, all of it at one moment."""

from dataclasses import dataclass, field
from datetime import datetime
from ssl import SSLContext

from pydantic import SecretStr

from adapters.outcome import LookupFailed, Reason
from config.settings import ClientTls, OAuth2
from proxy.credentials.files import read_secret
from proxy.credentials.signing import SigningKey, read_signing_key
from proxy.credentials.tls import client_context


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A version of everything that proves who we are. A new one replaces it whole."""

    version: int
    tls: SSLContext = field(repr=False)
    certificate_ends: datetime | None = None
    """When the client certificate ends; `None`: there is none."""
    client_secret: SecretStr | None = field(default=None, repr=False)
    signing_key: SigningKey | None = field(default=None, repr=False)

    def check(self, now: datetime) -> None:
        """Raises `LookupFailed(tls)` once the client certificate has ended.

        A vendor that refuses it tells us far less: it hangs up.
        """
        if self.certificate_ends is not None and now >= self.certificate_ends:
            ended = f"{self.certificate_ends:%Y-%m-%d %H:%M} UTC"
            raise LookupFailed(Reason.TLS, f"the client certificate ended on {ended}")


def read_credentials(tls: ClientTls | None, oauth2: OAuth2 | None, *, version: int) -> Credentials:
    """Reads every file that is named. Blocks for 2 to 80 ms, so it belongs in a thread.

    Raises `LookupFailed`: `tls` for certificates, `auth` for what OAuth2 needs.
    """
    context, certificate_ends = client_context(tls)
    return Credentials(
        version=version,
        tls=context,
        certificate_ends=certificate_ends,
        client_secret=_client_secret(oauth2) if oauth2 else None,
        signing_key=_signing_key(oauth2) if oauth2 else None,
    )


def _client_secret(oauth2: OAuth2) -> SecretStr | None:
    if oauth2.client_secret_file:
        return read_secret(oauth2.client_secret_file, "client secret")
    return oauth2.client_secret


def _signing_key(oauth2: OAuth2) -> SigningKey | None:
    return read_signing_key(oauth2.signing_key_file) if oauth2.signing_key_file else None
