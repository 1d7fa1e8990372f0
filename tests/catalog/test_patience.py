"""What hangs is waited for once, and costs nobody else anything."""

import threading

import pytest

from catalog.patience import Patience


def test_an_answer_is_handed_on_and_an_error_raised() -> None:
    patience = Patience(60.0)
    assert patience.ask(lambda: 3) == 3
    with pytest.raises(ZeroDivisionError):
        patience.ask(lambda: 1 // 0)
    assert not patience.exhausted


def test_an_error_that_says_time_is_up_is_handed_on_as_it_is() -> None:
    def late() -> None:
        raise TimeoutError("by its own clock")

    with pytest.raises(TimeoutError, match="its own clock"):
        Patience(60.0).ask(late)


def test_while_one_question_hangs_no_other_is_asked() -> None:
    hangs, asked = threading.Event(), []
    patience = Patience(0.02)
    with pytest.raises(TimeoutError, match="no answer within"):
        patience.ask(hangs.wait)
    assert patience.exhausted
    with pytest.raises(TimeoutError, match="earlier question"):
        patience.ask(lambda: asked.append(1))
    assert asked == []


def test_once_it_has_been_answered_others_are_asked_again() -> None:
    hangs, patience = threading.Event(), Patience(0.05)
    with pytest.raises(TimeoutError):
        patience.ask(hangs.wait)
    hangs.set()
    while patience.exhausted:
        threading.Event().wait(0.001)
    assert not patience.exhausted
