"""How well the scrubber does on texts of which is known what is personal. `-s` prints the table."""

from collections import Counter

from adapters.scrubbing.kinds import Kind
from tests.audit.labelled import LABELLED, NEGATIVES, VALUES, Labelled, labelled_set
from tests.audit.measuring import measured

RECALL = 0.99
"""At least, of each kind: what is missed is told."""
PRECISION = 0.98
"""At least, of each kind: what is taken needlessly makes an audit harder to read."""


def test_recall_and_precision_of_each_kind_stay_above_their_floors() -> None:
    measure = measured(labelled_set())
    print(f"\n{measure.table()}")  # noqa: T201  (what this test is for)
    for kind in VALUES:
        assert measure.recall(kind) >= RECALL, measure.missed
        assert measure.precision(kind) >= PRECISION, measure.wrong


def test_other_seeds_tell_the_same() -> None:
    for seed in range(3):
        measure = measured(labelled_set(seed))
        assert min(measure.recall(kind) for kind in VALUES) >= RECALL, measure.missed
        assert min(measure.precision(kind) for kind in VALUES) >= PRECISION, measure.wrong


def test_nothing_is_found_in_what_only_looks_personal() -> None:
    measure = measured(Labelled(text, ()) for text in NEGATIVES)
    assert measure.wrong == []


def test_the_set_has_enough_of_every_kind_and_of_what_only_looks_like_it() -> None:
    texts = list(labelled_set())
    there = Counter(kind for one in texts for _, _, kind in one.truth)
    assert set(there) == set(VALUES)
    assert set(LABELLED) < set(Kind)
    assert min(there.values()) >= 30
    assert len(NEGATIVES) >= 50
    assert len(texts) > 1_000


def test_the_measure_sees_what_is_missed_and_what_is_taken_needlessly() -> None:
    missed = Labelled("somebody Unknown", ((9, 16, Kind.SUBSCRIBER_NAME),))
    needless = Labelled("ask a@example.com", ())
    measure = measured([missed, needless])
    assert measure.recall(Kind.SUBSCRIBER_NAME) == 0
    assert measure.precision(Kind.EMAIL) == 0
