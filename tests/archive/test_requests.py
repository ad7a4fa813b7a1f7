from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from benforge.archive.requests import GAP, SPAN, plan_requests

PLACES = st.integers(0, 4 * SPAN)
RANGES = st.lists(st.tuples(PLACES, st.integers(0, SPAN + 10)), max_size=30)


@given(RANGES)
def test_every_range_lies_in_one_request(ranges: list[tuple[int, int]]) -> None:
    requests = plan_requests(ranges)
    assert sorted(part for request in requests for part in request.parts) == list(
        range(len(ranges))
    )
    for request in requests:
        starts = [ranges[part][0] for part in request.parts]
        ends = [sum(ranges[part]) for part in request.parts]
        assert request.start == min(starts)
        assert request.start + request.length == max(ends)


@given(RANGES)
def test_a_request_is_bounded_unless_one_range_is_larger(ranges: list[tuple[int, int]]) -> None:
    for request in plan_requests(ranges):
        assert request.length <= max(SPAN, *(ranges[part][1] for part in request.parts))


@given(st.lists(st.integers(0, 500), min_size=1, unique=True), st.integers(1, 4096))
def test_neighbours_come_with_the_fewest_requests(chunks: list[int], size: int) -> None:
    """Of chunks of one size, none is asked for apart from one that is near and has room."""
    requests = plan_requests([(chunk * size, size) for chunk in chunks])
    for one, other in pairwise(requests):
        far = other.start - one.start - one.length > GAP
        assert far or other.start + size - one.start > SPAN


def test_a_row_of_patches_is_one_request() -> None:
    assert len(plan_requests([(i * 115_200, 115_200) for i in range(13)])) == 1
    assert plan_requests([]) == []
