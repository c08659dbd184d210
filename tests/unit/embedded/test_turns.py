"""Whoever waits for a vector goes before what is embedded beside, and nobody takes all turns."""

from __future__ import annotations

import socket
import threading
import time

from shared.embedded.model_server import Turns, is_gone
from tests.patience import PATIENCE


def test_who_is_urgent_goes_first_and_the_others_in_the_order_of_coming() -> None:
    turns, order = Turns(), list[str]()

    def take(name: str, *, urgent: bool) -> None:
        with turns.turn(urgent=urgent):
            order.append(name)

    started = []
    with turns.turn(urgent=False):
        for name, urgent in (("b", False), ("c", False), ("question", True), ("d", False)):
            one = threading.Thread(target=take, args=(name,), kwargs={"urgent": urgent})
            one.start()
            started.append(one)
            _until_in_line(turns, len(started))
    for one in started:
        one.join(PATIENCE)
    assert order == ["question", "b", "c", "d"]


def test_who_has_many_lets_others_in_between() -> None:
    turns, order = Turns(), list[str]()
    begun, waits = threading.Event(), threading.Event()

    def many() -> None:
        for n in range(3):
            with turns.turn(urgent=False):
                order.append(f"many {n}")
                begun.set()
                waits.wait(PATIENCE)

    def one() -> None:
        with turns.turn(urgent=False):
            order.append("one")

    first, second = threading.Thread(target=many), threading.Thread(target=one)
    first.start()
    begun.wait(PATIENCE)
    second.start()
    _until_in_line(turns, 1)
    waits.set()
    first.join(PATIENCE)
    second.join(PATIENCE)
    assert order == ["many 0", "one", "many 1", "many 2"]


def test_who_has_hung_up_is_not_worked_for() -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours:
        with theirs:
            assert not is_gone(ours)
            theirs.send(b"POST /v1/embeddings")
            assert not is_gone(ours)
            assert ours.recv(100) == b"POST /v1/embeddings"
        assert is_gone(ours)


def _until_in_line(turns: Turns, n: int) -> None:
    end = time.monotonic() + PATIENCE
    while len(turns) < n and time.monotonic() < end:
        time.sleep(0.001)
    assert len(turns) == n
