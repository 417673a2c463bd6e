"""What the mounted files say, all of it at one moment."""

from dataclasses import dataclass, field
from datetime import datetime
from ssl import SSLContext

from pydantic import SecretStr

from adapters.outcome import NotAsked, Reason
from proxy.credentials.certificates import NO_CERTIFICATES, Certificates
from proxy.credentials.judgement import FileProblem
from proxy.credentials.signing import SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A version of everything that proves who we are. A new one replaces it whole."""

    version: int
    tls: SSLContext = field(repr=False)
    digest: str = field(default="", repr=False)
    """Of the files' contents. The same contents have the same, within this process."""
    loaded_at: datetime | None = None
    certificates: Certificates = field(default=NO_CERTIFICATES, repr=False)
    warnings: tuple[FileProblem, ...] = field(default=(), repr=False)
    client_secret: SecretStr | None = field(default=None, repr=False)
    signing_key: SigningKey | None = field(default=None, repr=False)

    @property
    def certificate_ends(self) -> datetime | None:
        """When the client certificate ends; `None`: there is none."""
        client = self.certificates.client
        return client[0].not_after if client else None

    def check(self, now: datetime) -> None:
        """Raises `NotAsked(tls)` once the client certificate has ended.

        A vendor that refuses it tells us far less: it hangs up.
        """
        ends = self.certificate_ends
        if ends is not None and now >= ends:
            ended = f"{ends:%Y-%m-%d %H:%M} UTC"
            raise NotAsked(Reason.TLS, f"the client certificate ended on {ended}")
