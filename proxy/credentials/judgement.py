"""May a set of files become the credentials? Pure: bytes and a moment in, a verdict out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from pydantic import SecretStr

from adapters.outcome import LookupFailed, Reason
from proxy.credentials.certificates import (
    ANY_USAGE,
    CLIENT_AUTH,
    NO_CERTIFICATES,
    CertificateFacts,
    Certificates,
    parse_certificates,
)
from proxy.credentials.files import RawFile, RawSet
from proxy.credentials.signing import SigningKey, parse_signing_key

CLOCK_TOLERANCE = timedelta(seconds=60)
"""How much the clocks of an issuer and ours may differ."""
LOOK_AGAIN = timedelta(seconds=1)
"""After files that changed while they were read."""

_REASONS = {"client secret": Reason.AUTH, "signing key": Reason.AUTH}
_RENEW = "let its issuer make a new one and mount it"
_MOUNT_IT = "mount it where the configuration says, so that the sidecar's user can read it"
_REMEDIES = {"is empty": "give it its content", "is too large": "mount the file that is meant"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FileProblem:
    """What is wrong with one file, for the operator. Nothing of its content is in it."""

    role: str
    """What the file is to us, as `client key`."""
    file: str
    """Its path."""
    what: str
    """Goes on after the file's name: `is empty`."""
    remedy: str
    """What to do, as an imperative."""

    @property
    def reason(self) -> Reason:
        """What a question is answered while nothing better is there."""
        return _REASONS.get(self.role, Reason.TLS)

    def __str__(self) -> str:
        return f"the {self.role} {self.file} {self.what}; {self.remedy}"

    def as_failure(self) -> LookupFailed:
        return LookupFailed(self.reason, str(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A set is good when there are no problems."""

    problems: tuple[FileProblem, ...] = ()
    warnings: tuple[FileProblem, ...] = ()
    """What may go wrong with a set that is good enough to try."""
    valid_from: datetime | None = None
    """When the same files are to be judged again; `None`: only when they change."""
    certificates: Certificates = NO_CERTIFICATES
    client_secret: SecretStr | None = field(default=None, repr=False)
    signing_key: SigningKey | None = field(default=None, repr=False)

    @property
    def good(self) -> bool:
        return not self.problems


def judge(files: RawSet, now: datetime, *, tolerance: timedelta = CLOCK_TOLERANCE) -> Judgement:
    """Judges everything, so that an operator hears all of it at once.

    `tolerance` is how long before its time a certificate is tried, for its issuer's clock may be
    ahead of ours. Where something good serves already, there is no need for any.
    """
    return _Judge(now, tolerance).judge(files)


class _Judge:
    """Collects what it finds."""

    def __init__(self, now: datetime, tolerance: timedelta) -> None:
        self._now = now
        self._tolerance = tolerance
        self._problems: list[FileProblem] = []
        self._warnings: list[FileProblem] = []
        self._valid_from: list[datetime] = []

    def judge(self, files: RawSet) -> Judgement:
        certificates = Certificates(
            client=self._client(files.certificate, files.key), trusted=self._trusted(files)
        )
        secret = self._secret(files.client_secret)
        signing_key = self._signing_key(files.signing_key)
        if not files.settled and not self._problems:
            self._unsettled(files)
        return Judgement(
            problems=tuple(self._problems),
            warnings=tuple(self._warnings),
            valid_from=max(self._valid_from, default=None),
            certificates=certificates,
            client_secret=secret,
            signing_key=signing_key,
        )

    def _client(
        self, certificate: RawFile | None, key: RawFile | None
    ) -> tuple[CertificateFacts, ...]:
        if certificate is None or key is None:
            return ()
        chain = self._certificates(certificate)
        public_key = self._public_key(key)
        if not chain:
            return ()
        if public_key is not None and public_key != _public_der(chain[0]):
            self._refuse(
                key,
                "does not belong to the client certificate",
                "mount the pair that was issued together",
            )
        self._check_links(certificate, chain)
        facts = self._facts(certificate, chain)
        if facts:
            self._check_leaf(certificate, facts[0])
            self._warn_of_chain(certificate, facts[1:])
        return facts

    def _check_links(self, file: RawFile, chain: Sequence[x509.Certificate]) -> None:
        for number, (below, above) in enumerate(pairwise(chain), start=2):
            if not _issued(below, above):
                self._refuse(
                    file,
                    f"is not a chain: certificate {number} did not issue the one before it",
                    "put the client certificate first, then each issuer after what it issued",
                )
                return

    def _check_leaf(self, file: RawFile, leaf: CertificateFacts) -> None:
        if self._now >= leaf.not_after:
            self._refuse(file, f"ended on {_time(leaf.not_after)}", _RENEW)
        elif self._now < leaf.not_before - self._tolerance:
            self._refuse(
                file,
                f"is not valid before {_time(leaf.not_before)}",
                "wait until then, or set the clock of this machine or of the issuer",
            )
            self._valid_from.append(leaf.not_before - self._tolerance)
        if leaf.usages is not None and not {CLIENT_AUTH, ANY_USAGE} & set(leaf.usages):
            self._warn(
                file,
                f"is not for clients (extended key usage: {', '.join(leaf.usages)}), so vendors"
                " may refuse it; public CAs stopped issuing client usage in 2026",
                "get one for client authentication, from the vendor's CA or one of your own",
            )

    def _warn_of_chain(self, file: RawFile, chain: Sequence[CertificateFacts]) -> None:
        for one in chain:
            if self._now >= one.not_after:
                self._warn(file, f"holds an issuer that ended on {_time(one.not_after)}", _RENEW)

    def _trusted(self, files: RawSet) -> tuple[CertificateFacts, ...]:
        file = files.trust_bundle
        if file is None:
            return ()
        facts = self._facts(file, self._certificates(file))
        over = [one for one in facts if self._now >= one.not_after]
        ahead = [one for one in facts if self._now < one.not_before - self._tolerance]
        if facts and len(over) + len(ahead) == len(facts):
            self._refuse(file, "holds no CA that is valid now", "mount the vendor's current CA")
            if ahead:
                first = min(one.not_before for one in ahead)
                self._valid_from.append(first - self._tolerance)
        elif over:
            more = f" and {len(over) - 1} more" if len(over) > 1 else ""
            self._warn(file, f"holds a CA that has ended: {over[0].subject}{more}", "take it out")
        return facts

    def _secret(self, file: RawFile | None) -> SecretStr | None:
        if file is None or self._unreadable(file):
            return None
        try:
            return SecretStr(file.content.decode("utf-8").rstrip("\r\n"))
        except UnicodeDecodeError:
            pass  # the exception carries the secret along
        self._refuse(file, "is not UTF-8", "mount the secret as text")
        return None

    def _signing_key(self, file: RawFile | None) -> SigningKey | None:
        if file is None or self._unreadable(file):
            return None
        key = parse_signing_key(file.content)
        if isinstance(key, SigningKey):
            return key
        self._refuse_key(file, key)
        return None

    def _certificates(self, file: RawFile) -> Sequence[x509.Certificate]:
        if self._unreadable(file):
            return ()
        certificates = parse_certificates(file.content)
        if not isinstance(certificates, str):
            return certificates
        self._refuse(file, certificates, "mount certificates in PEM, whole")
        return ()

    def _facts(
        self, file: RawFile, certificates: Sequence[x509.Certificate]
    ) -> tuple[CertificateFacts, ...]:
        try:
            return tuple(CertificateFacts.of(one) for one in certificates)
        except (ValueError, TypeError):
            self._refuse(file, "holds a certificate that cannot be read", _RENEW)
            return ()

    def _public_key(self, file: RawFile) -> bytes | None:
        """The public half of a private key."""
        if self._unreadable(file):
            return None
        try:
            key = load_pem_private_key(file.content, password=None)
        except TypeError:
            self._refuse_key(file, "is encrypted")
        except (ValueError, UnsupportedAlgorithm):
            self._refuse_key(file, "is not a PEM private key")
        else:
            return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return None

    def _refuse_key(self, file: RawFile, what: str) -> None:
        encrypted = what == "is encrypted"
        self._refuse(
            file, what, "mount it without a passphrase" if encrypted else "mount the key in PEM"
        )

    def _unreadable(self, file: RawFile) -> bool:
        if file.problem:
            self._refuse(file, file.problem, _REMEDIES.get(file.problem, _MOUNT_IT))
        return bool(file.problem)

    def _unsettled(self, files: RawSet) -> None:
        self._refuse(files.files[0], "or a file beside it keeps changing", "let it come to rest")
        self._valid_from.append(self._now + LOOK_AGAIN)

    def _refuse(self, file: RawFile, what: str, remedy: str) -> None:
        self._problems.append(FileProblem(role=file.role, file=file.path, what=what, remedy=remedy))

    def _warn(self, file: RawFile, what: str, remedy: str) -> None:
        self._warnings.append(FileProblem(role=file.role, file=file.path, what=what, remedy=remedy))


def _issued(below: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        below.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature):
        return False
    except UnsupportedAlgorithm:
        return True  # OpenSSL may know it
    return True


def _public_der(certificate: x509.Certificate) -> bytes | None:
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _time(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
