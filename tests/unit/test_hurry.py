"""When a relay is woken for what nobody waits for."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from shared.contracts.desk import CaseDispatched, CaseOpened
from shared.messaging import relay as module
from shared.messaging.foreground import Foreground
from shared.messaging.relay import Relay
from shared.service import Service


def relay() -> Relay:
    return Relay(
        "toy", database=cast("Any", None), role=None, kafka="", on_wipe=lambda reason: None
    )


async def test_what_nobody_waits_for_wakes_the_relay_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "UNHURRIED", 0.01)
    it = relay()
    it.wake(hurried=False)
    it.wake(hurried=False)
    assert not it._wake.is_set()
    await asyncio.wait_for(it._wake.wait(), 10)


async def test_with_what_somebody_waits_for_it_goes_at_once_and_nothing_wakes_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "UNHURRIED", 3600)
    it = relay()
    it.wake(hurried=False)
    later = it._later
    it.wake()
    assert it._wake.is_set()
    # As before each look: what was committed is seen by it.
    it._wake.clear()
    it._forget_later()
    assert later is not None
    assert later.cancelled()
    it.wake(hurried=False)
    assert it._later not in (None, later)
    await it.stop()
    assert it._later is None


@pytest.mark.parametrize(
    ("news", "hurried"),
    [
        ({CaseOpened.type}, False),
        ({CaseOpened.type, CaseDispatched.type}, True),
        ({CaseDispatched.type}, True),
        pytest.param({"feedback.inbound.rejected"}, True, id="a topic"),
    ],
)
def test_a_commit_is_unhurried_when_all_it_says_is(news: set[str], hurried: bool) -> None:
    class Noting:
        def wake(self, *, hurried: bool) -> None:
            noted.append(hurried)

    noted: list[bool] = []
    service = cast("Any", Service.__new__(Service))
    service.relay, service._unhurried = Noting(), frozenset({CaseOpened.type})
    heard: list[set[str]] = []
    foreground = Foreground()
    foreground.listeners.append(lambda types: heard.append(set(types)))
    service.runtime = SimpleNamespace(foreground=foreground)
    service._news(news)
    assert (noted, heard) == ([hurried], [news])
