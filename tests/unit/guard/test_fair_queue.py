"""The order of the queue, without a clock or a task."""

from hypothesis import example, given
from hypothesis import strategies as st

from proxy.guard.fair_queue import FairQueue

Story = list[tuple[str, bool]]
stories = st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=40)


def filled(story: Story, length: int = 1000) -> FairQueue[tuple[int, str, bool]]:
    queue: FairQueue[tuple[int, str, bool]] = FairQueue(length)
    for number, (tenant, is_batch) in enumerate(story):
        queue.push((number, tenant, is_batch), tenant, is_batch=is_batch)
    return queue


def emptied(
    queue: FairQueue[tuple[int, str, bool]], *, batch_too: bool = True
) -> list[tuple[int, str, bool]]:
    order = []
    while (one := queue.pop(batch_too=batch_too)) is not None:
        order.append(one)
    return order


@given(stories)
def test_everybody_gets_out_once_and_in_order_of_arrival_within_a_line(story: Story) -> None:
    order = emptied(filled(story))
    assert sorted(order) == [(n, *who) for n, who in enumerate(story)]
    for line in set(story):
        mine = [number for number, *who in order if tuple(who) == line]
        assert mine == sorted(mine)


@given(stories)
def test_nobody_is_served_twice_while_another_tenant_waits_for_a_first_time(story: Story) -> None:
    order = [tenant for _, tenant, _ in emptied(filled(story))]
    for position, tenant in enumerate(order):
        waiting = set(order[position:])
        before = order[:position]
        least = min(before.count(one) for one in waiting)
        assert before.count(tenant) <= least + 1


@given(stories)
def test_single_and_batch_of_a_tenant_take_turns_while_both_wait(story: Story) -> None:
    order = [is_batch for _, tenant, is_batch in emptied(filled(story)) if tenant == "a"]
    both = 2 * min(order.count(True), order.count(False))
    assert order[:both] == [False, True] * (both // 2)


@given(stories)
def test_when_batches_may_not_they_keep_their_places(story: Story) -> None:
    queue = filled(story)
    assert all(not is_batch for *_, is_batch in emptied(queue, batch_too=False))
    assert len(queue) == sum(is_batch for _, is_batch in story)
    assert all(is_batch for *_, is_batch in emptied(queue))


@given(stories, st.integers(0, 6))
@example([("a", True)] * 3 + [("b", False)], 3)
@example([("a", True)] * 3 + [("a", False)], 3)
def test_a_full_queue_is_shared_evenly_between_who_asks_for_more(story: Story, length: int) -> None:
    """Who got less than somebody else, by more than one place, never wanted more."""
    queue = filled(story, length)
    waiting = [(tenant, is_batch) for _, tenant, is_batch in emptied(queue)]
    assert len(waiting) == min(length, len(story))
    tenants = {tenant: sum(one == tenant for one, _ in waiting) for tenant, _ in story}
    for tenant, places in tenants.items():
        wanted = sum(one == tenant for one, _ in story)
        assert places == wanted or places >= max(tenants.values()) - 1
        mine = [sum(one == (tenant, kind) for one in waiting) for kind in (False, True)]
        asked = [sum(one == (tenant, kind) for one in story) for kind in (False, True)]
        for kind in (False, True):
            assert mine[kind] == asked[kind] or mine[kind] >= mine[not kind] - 1


@given(stories, st.data())
def test_who_leaves_leaves_nothing_behind(story: Story, data: st.DataObject) -> None:
    queue = filled(story)
    for waiter in data.draw(st.permutations([(n, *who) for n, who in enumerate(story)])):
        queue.remove(waiter, waiter[1], is_batch=waiter[2])
        queue.remove(waiter, waiter[1], is_batch=waiter[2])
    assert len(queue) == 0
    assert not queue._desks
