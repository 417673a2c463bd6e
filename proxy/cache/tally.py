"""What the cache did for one question, and how an answer says so."""

from dataclasses import dataclass

CACHE = "bss-sidecar"


@dataclass(slots=True)
class Tally:
    """Counts of customers. Nothing in it tells who they are."""

    hits: int = 0
    """Answered from fresh entries."""
    negative: int = 0
    """Of the hits: there is no such customer."""
    misses: int = 0
    """Nothing usable was kept."""
    outdated: int = 0
    """Of the misses: an entry past its life was at hand."""
    stale: int = 0
    """Of those: answered from it, because nobody could say."""
    unopenable: int = 0
    """Of the misses: what was kept did not open."""
    bypassed: int = 0
    """Of the misses: the store could not be asked."""
    refreshes: int = 0
    """Of the hits: asked for anew ahead of time."""
    fresh_for_ms: int | None = None
    """Of the hit that ends first."""

    @property
    def asked(self) -> int:
        return self.hits + self.misses

    def hit(self, *, fresh_for_ms: int, negative: bool) -> None:
        self.hits += 1
        self.negative += negative
        if self.fresh_for_ms is None or fresh_for_ms < self.fresh_for_ms:
            self.fresh_for_ms = fresh_for_ms


def cache_status(tally: Tally, *, is_batch: bool) -> str:
    """The value of `Cache-Status` (RFC 9211); empty when the cache was not asked for anybody."""
    if not tally.asked:
        return ""
    parts = [CACHE, "hit" if not tally.misses else f"fwd={_forwarded(tally)}"]
    if not tally.misses and tally.fresh_for_ms is not None:
        parts.append(f"ttl={max(0, tally.fresh_for_ms) // 1000}")
    if is_batch:
        parts.append(f'detail="{_counts(tally)}"')
    elif tally.stale:
        parts.append('detail="served-stale"')
    elif tally.unopenable:
        parts.append('detail="unopenable"')
    return "; ".join(parts)


def _forwarded(tally: Tally) -> str:
    if tally.hits:
        return "partial"
    if tally.bypassed:
        return "bypass"
    return "stale" if tally.outdated else "uri-miss"


def _counts(tally: Tally) -> str:
    """Hits and misses always, the rest where there is any."""
    counts = [f"hits={tally.hits}", f"misses={tally.misses}"]
    rest = ("negative", "stale", "unopenable", "bypassed")
    counts += [f"{name}={count}" for name in rest if (count := getattr(tally, name))]
    return ",".join(counts)
