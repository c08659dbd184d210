"""When the board moves: at once after a rest, and while changes keep coming every so often."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.tracking.deps.pace import AT_MOST, PACE, Pace
from tests.support import clock_at


class Board:
    """A pace whose time goes on only as it is told."""

    def __init__(self) -> None:
        self.clock = clock_at("2026-03-04 10:00")
        self.woken: list[str] = []
        self._timers: list[tuple[timedelta, Callable[[], None]]] = []
        self.pace = Pace(self.clock, self._wake, self._later)
        self.passed = timedelta(0)

    def _wake(self) -> None:
        self.woken.append(self.pace.name)

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        self._timers.append((self.passed + timedelta(seconds=seconds), call))

    def wait(self, milliseconds: int) -> None:
        """Time passes, and what is due is called."""
        for _ in range(milliseconds):
            self.passed += timedelta(milliseconds=1)
            self.clock.later(milliseconds=1)
            due = [timer for timer in self._timers if timer[0] <= self.passed]
            self._timers = [timer for timer in self._timers if timer not in due]
            for _, call in due:
                call()


@pytest.fixture
def board() -> Board:
    return Board()


def test_after_a_rest_a_change_moves_it_at_once(board: Board) -> None:
    quiet = board.pace.name
    board.pace.changed()
    assert board.woken == [board.pace.name] != [quiet]
    board.wait(300)
    board.pace.changed()
    assert len(set(board.woken)) == 2


def test_a_name_that_is_another_moves_it_and_is_no_change_of_the_sums(board: Board) -> None:
    board.pace.renamed()
    board.pace.renamed()
    assert len(board.woken) == 1
    board.wait(300)
    assert len(board.woken) == 2
    board.wait(300)
    board.pace.looked(0)
    assert len(board.woken) == 2


def test_changes_that_keep_coming_move_it_every_so_often(board: Board) -> None:
    for _ in range(1_000):
        board.pace.changed()
        board.wait(2)
    assert len(board.woken) == 1 + timedelta(seconds=2) // PACE == len(set(board.woken))


def test_the_last_change_of_many_moves_it_too_and_nothing_after_it(board: Board) -> None:
    board.pace.changed()
    board.wait(10)
    board.pace.changed()
    name = board.pace.name
    board.wait(289)
    assert board.pace.name == name
    board.wait(1)
    assert board.woken == [name, board.pace.name]
    board.wait(5_000)
    assert len(board.woken) == 2


def test_whoever_is_woken_has_the_new_name_and_no_other_moment_has_one(board: Board) -> None:
    names = []
    for n in range(300):
        if n % 7 < 3:
            board.pace.changed()
        board.wait(n % 40)
        names.append(board.pace.name)
    assert sorted({*names} - {*board.woken}, key=int) == []
    assert board.woken == sorted(board.woken, key=int)


def test_a_timer_that_is_late_holds_nothing_up_either(board: Board) -> None:
    board.pace.changed()
    board.pace.changed()
    board.clock.later(seconds=1)
    board.pace.changed()
    assert len(board.woken) == 2
    board.wait(1_000)
    assert len(board.woken) == 2, "nothing has changed since"


def test_a_clock_that_is_put_back_holds_nothing_up(board: Board) -> None:
    board.pace.changed()
    board.clock.later(hours=-1)
    board.pace.changed()
    board.wait(300)
    assert len(board.woken) == 2


def test_what_others_changed_moves_it_and_what_it_counted_itself_does_not(board: Board) -> None:
    for _ in range(3):
        board.pace.changed()
    board.wait(1_000)
    assert len(board.woken) == 2
    board.pace.looked(3)
    assert len(board.woken) == 2
    board.pace.looked(5)
    assert len(board.woken) == 3
    board.wait(1_000)
    board.pace.changed()
    board.wait(1_000)
    board.pace.looked(6)
    board.wait(1_000)
    assert len(board.woken) == 4


def test_it_is_looked_at_no_oftener_than_it_moves(board: Board) -> None:
    assert board.pace.is_look_due
    board.pace.looked(0)
    board.wait(299)
    assert not board.pace.is_look_due
    board.wait(1)
    assert board.pace.is_look_due
    board.pace.looked(0)
    board.clock.later(hours=-1)
    assert board.pace.is_look_due


def test_that_nothing_changed_is_not_believed_for_ever(board: Board) -> None:
    board.pace.changed()
    board.clock.later(seconds=AT_MOST.total_seconds())
    board.pace.looked(1)
    assert len(board.woken) == 1
    board.clock.later(seconds=1)
    board.pace.looked(1)
    assert len(board.woken) == 2
