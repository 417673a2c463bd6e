"""The audit trail: whether there is one, and where."""

from typing import Annotated, Literal

from pydantic import Field

from config.group import Group, Text
from config.units import Size


class Audit(Group):
    """One line of JSON for each question: who asked what, and how it ended. Nothing personal."""

    sink: Literal["off", "stdout", "file"] = "off"
    """Where it goes: nowhere, among the lines of the log with the event `audit`, or into `file`."""
    file: Text | None = None
    """Path of the file, on a volume of its own best; for `file`. Made with mode 0600."""
    file_size: Size = 16 * 1024 * 1024
    """Bytes after which a new file is begun."""
    former_files: Annotated[int, Field(ge=0, le=100)] = 4
    """Full files that are kept beside it, as `FILE.1` (the latest) and so on."""
