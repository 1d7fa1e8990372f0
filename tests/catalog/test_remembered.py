"""The bounded memory."""

from hypothesis import given
from hypothesis import strategies as st

from catalog.remembered import Remembered


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(1, 12)), max_size=80))
def test_it_answers_with_the_last_value_or_not_at_all_and_stays_bounded(kept: list[tuple[int, int]]) -> None:
    memory: Remembered[int, tuple[int, int]] = Remembered(10)
    last: dict[int, tuple[int, int]] = {}
    for place, (key, size) in enumerate(kept):
        if size <= 10:
            last[key] = (key, place)
        memory.keep(key, (key, place), size)
        assert memory.find(key) in (None, last.get(key))
        assert size > 10 or memory.find(key) == (key, place)
    known = [key for key in range(21) if memory.find(key) is not None]
    assert len(known) <= 20


def test_what_is_asked_for_outlives_what_is_not() -> None:
    memory: Remembered[str, int] = Remembered(4)
    memory.keep("asked", 1, 1)
    memory.keep("not", 2, 1)
    for number in range(20):
        assert memory.find("asked") == 1
        memory.keep(f"other {number}", number, 1)
    assert memory.find("not") is None


def test_one_larger_than_the_memory_is_left_out() -> None:
    memory: Remembered[str, int] = Remembered(4)
    memory.keep("small", 1, 1)
    memory.keep("large", 2, 5)
    assert (memory.find("small"), memory.find("large")) == (1, None)
