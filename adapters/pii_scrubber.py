"""Takes what is personal or secret out of texts and values, and says what it took.

Source: BSS Integration Contract 1.0, section 5. `PIIScrubber` has the signature of Pedkai's
scrubber and can stand in for it: `scrub(text)` returns the text and a manifest. Two things differ.
The hashes of the manifest are keyed, for an unkeyed one of fifteen digits is undone by trying them
all; and values of any shape are scrubbed by the names of their fields first (`scrub_value`).
"""

import secrets
from collections.abc import Iterable
from typing import Any

from adapters.scrubbing.kinds import REDACTED, Kind, kinds_of
from adapters.scrubbing.manifest import Manifest, Row
from adapters.scrubbing.prose import scrub_prose
from adapters.scrubbing.structure import Walk

__all__ = ["Kind", "PIIScrubber", "Row"]

TEXT_CHARACTERS = 262_144
"""Of one text; what is beyond is cut off."""


class PIIScrubber:
    """Never raises, never changes what it is given, and its cost grows with the size of that only.

    What is scrubbed already stays as it is.
    """

    def __init__(
        self,
        fields_to_scrub: Iterable[str] | None = None,
        fields_to_pass_through: Iterable[str] | None = None,
        *,
        key: bytes | None = None,
    ) -> None:
        """`fields_to_scrub`: names of kinds, all unless given, without `fields_to_pass_through`.

        `key` is that of the manifest's hashes: the same value has the same hash under the same key.
        A new one unless given, so that nothing can be told from two processes' manifests together.
        """
        wanted = kinds_of(fields_to_scrub) if fields_to_scrub else frozenset(Kind)
        self._kinds = frozenset(wanted) - frozenset(kinds_of(fields_to_pass_through or ()))
        self._key = secrets.token_bytes(32) if key is None else key

    def scrub(self, text: str) -> tuple[str, list[Row]]:
        """The text without what is personal or secret, and one row for each replacement."""
        if type(text) is not str:  # callers may hand over what they have
            scrubbed, rows = self.scrub_value(text)
            return scrubbed if isinstance(scrubbed, str) else str(scrubbed), rows
        manifest = Manifest(self._key)
        scrubbed = scrub_prose(text, manifest, path="", most=TEXT_CHARACTERS, kinds=self._kinds)
        return scrubbed, manifest.rows

    def scrub_value(self, value: object) -> tuple[Any, list[Row]]:
        """The same of a mapping, a model, a dataclass, a list, or anything else, at any depth.

        What has named fields becomes a `dict`, sets become lists; a thing of an unknown kind is
        replaced whole, for only its own words could say what is in it. An aggregate
        (`total_revenue_at_risk`) stays where `priced_customer_count` beside it is 5 or more.
        """
        manifest = Manifest(self._key)
        try:
            return Walk(manifest, self._kinds).value(value), manifest.rows
        except Exception:  # noqa: BLE001  (a thing whose own methods fail: nothing of it is told)
            return REDACTED, manifest.rows
