"""From files to credentials, or to what is wrong with them. Blocks, so it belongs in a thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from adapters.outcome import LookupFailed
from proxy.credentials.files import RawSet
from proxy.credentials.judgement import CLOCK_TOLERANCE, LOOK_AGAIN, FileProblem, Judgement, judge
from proxy.credentials.snapshot import Credentials
from proxy.credentials.tls import HTTP, Unfit, client_context


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a set of files gave."""

    digest: str
    judgement: Judgement
    judged_at: datetime
    credentials: Credentials | None = None
    """`None` exactly where the judgement names problems."""

    def is_due(self, now: datetime) -> bool:
        """Whether the same files may be judged otherwise by now, or the clock was set back."""
        valid_from = self.judgement.valid_from
        return now < self.judged_at or (valid_from is not None and now >= valid_from)


def load(
    files: RawSet,
    now: datetime,
    *,
    version: int,
    tolerance: timedelta = CLOCK_TOLERANCE,
    protocols: Sequence[str] = HTTP,
) -> Loaded:
    """Judges files and builds a TLS context from them, which takes 2 to 80 ms. Never raises."""
    judgement = judge(files, now, tolerance=tolerance)
    if not judgement.good:
        return Loaded(digest=files.digest, judgement=judgement, judged_at=now)
    try:
        context = client_context(files, protocols)
    except Unfit as unfit:
        return Loaded(digest=files.digest, judgement=_refused(unfit, now), judged_at=now)
    credentials = Credentials(
        version=version,
        tls=context,
        digest=files.digest,
        loaded_at=now,
        certificates=judgement.certificates,
        warnings=judgement.warnings,
        client_secret=judgement.client_secret,
        signing_key=judgement.signing_key,
    )
    return Loaded(digest=files.digest, judgement=judgement, judged_at=now, credentials=credentials)


def failure(problems: tuple[FileProblem, ...]) -> LookupFailed:
    """What a question is answered: the first problem's reason, and all of them for the operator."""
    return LookupFailed(problems[0].reason, ". ".join(map(str, problems)))


def _refused(unfit: Unfit, now: datetime) -> Judgement:
    remedy = "let it come to rest" if unfit.changed else "mount a pair that OpenSSL takes"
    problem = FileProblem(
        role=unfit.file.role, file=unfit.file.path, what=unfit.what, remedy=remedy
    )
    return Judgement(problems=(problem,), valid_from=now + LOOK_AGAIN if unfit.changed else None)
