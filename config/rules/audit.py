"""What must hold of the audit trail."""

from collections.abc import Iterator
from pathlib import PurePath

from config.rules.case import Finding, ServiceRule
from config.settings import Settings

_SMALLEST_FILE = 64 * 1024


def _a_file_is_named_where_one_is_written(settings: Settings) -> Iterator[Finding]:
    audit = settings.audit
    sink, file = ("audit", "sink"), ("audit", "file")
    if audit.sink == "file" and audit.file is None:
        yield Finding(sink, "needs audit.file", "the path of a file, or stdout", needs=(file,))
    if audit.sink != "file" and audit.file is not None:
        what = f"is not used with sink {audit.sink}"
        yield Finding(file, what, "sink: file, or nothing", needs=(sink,), serious=False)


def _a_file_has_a_name_and_room(settings: Settings) -> Iterator[Finding]:
    audit = settings.audit
    if audit.file is not None and not PurePath(audit.file).is_absolute():
        yield Finding(("audit", "file"), "is not an absolute path", "such as /var/log/audit.jsonl")
    if audit.file_size < _SMALLEST_FILE:
        yield Finding(("audit", "file_size"), "holds hardly a question", "at least 64KiB")


AUDIT_RULES: tuple[ServiceRule, ...] = (
    _a_file_is_named_where_one_is_written,
    _a_file_has_a_name_and_room,
)
