"""Interleavings nobody thought of: submissions, owners, letters, erasure, restore, kills.

hypothesis chooses the steps and shrinks what fails to the shortest story that still does. It prints
how to repeat it (``@reproduce_failure``). ``make storm`` tells thousands of stories, each of them
different; ``STORM_EXAMPLES`` says how many.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AsyncExitStack
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.service import Runtime
from tests.messaging.storm.world import World, made
from tests.support import disconnect

EXAMPLES = int(os.environ.get("STORM_EXAMPLES", "50"))
STEPS = 30

SERVICES = st.sampled_from(["intake", "desk", "tracking"])
READERS = st.sampled_from(["desk", "tracking"])
OWNERS = st.sampled_from(["one", "two"])
LIMITS = st.sampled_from([1, 2, 3, 10, 100])
COMMENT = st.fixed_dictionaries(
    {
        "source": st.sampled_from(["s-1", "s-2", "s-3", "s-4"]),
        "key": st.sampled_from([None, "key-a", "key-b"]),
        "text": st.sampled_from(["三楼自习区一点也不安静", "宿舍 WiFi 慢"]),
    }
)


class Storm(RuleBasedStateMachine):
    """One story. Each step runs on the loop of the test to its end."""

    run: ClassVar[Callable[[Coroutine[Any, Any, Any]], Any]]
    make_runtime: ClassVar[Callable[..., Runtime]]
    cases = Bundle("cases")

    def __init__(self) -> None:
        super().__init__()
        self._stack = AsyncExitStack()
        self.world: World = self._do(self._stack.enter_async_context(made(type(self).make_runtime)))
        self.sources: dict[str, str] = {}
        self.keys: dict[str, tuple[tuple[str, str], str]] = {}
        self.supplements = 0

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return type(self).run(work)

    # -- people ----------------------------------------------------------------------------

    @rule(target=cases, comments=st.lists(COMMENT, min_size=1, max_size=5))
    def submit(self, comments: list[dict[str, Any]]) -> Any:
        """Copies of the same message get the same answer; a key stands for one body."""
        before = list(self.world.accepted)
        for comment, answer in zip(comments, self._do(self.world.submit(comments)), strict=True):
            body = (comment["source"], comment["text"])
            assert answer.status_code in (200, 201, 409), answer.text
            if answer.status_code == 409:
                known, _ = self.keys.get(comment["key"], (None, ""))
                assert comment["key"] is not None and known != body, "refused without a reason"
                continue
            feedback_id = answer.json()["feedback_id"]
            assert self.sources.setdefault(comment["source"], feedback_id) == feedback_id, (
                "two cases for one message"
            )
            if comment["key"] is not None and answer.status_code == 201:
                self.keys.setdefault(comment["key"], (body, feedback_id))
        return multiple(*(case for case in self.world.accepted if case not in before))

    @rule(case=cases)
    def supplement(self, case: str) -> None:
        # The same words again, a moment later, would be one supplement.
        self.supplements += 1
        words = f"今天下午又被占了 {self.supplements}"
        answer = self._do(self.world.say(case, "supplement", text=words))
        assert answer.status_code in (200, 409), answer.text

    @rule(case=cases, action=st.sampled_from(["urge", "withdraw"]))
    def say(self, case: str, action: str) -> None:
        answer = self._do(self.world.say(case, action))
        assert answer.status_code in (200, 409), answer.text

    @rule(case=cases)
    def erase(self, case: str) -> None:
        self._do(self.world.erase(case))

    @rule(target=cases, more=st.integers(1, 4), number=st.integers(1, 4), name=READERS)
    def trouble(self, more: int, number: int, name: str) -> Any:
        return self.a_case_in_trouble(more, number, name)

    def a_case_in_trouble(self, more: int, number: int, name: str) -> str:
        """Several events of a new case are in the log, and one of them is poison to a reader."""
        (new,) = self._do(
            self.world.submit([{"source": f"t-{len(self.sources)}", "key": None, "text": "渗水"}])
        )
        case = str(new.json()["feedback_id"])
        self.sources[f"t-{len(self.sources)}"] = case
        for _ in range(more):
            self.supplement(case)
        self._do(self.world.relay("intake", 100))
        self.world.poisoned[name, case] = number
        return case

    @rule(
        target=cases,
        more=st.integers(1, 3),
        name=READERS,
        passes=st.integers(0, 3),
        limit=LIMITS,
        redriving=st.sampled_from(["", "first", "second"]),
    )
    def two_at_once_on_a_case_in_trouble(
        self, more: int, name: str, passes: int, limit: int, redriving: str
    ) -> Any:
        """The trouble is one of the first events, and two processes meet it."""
        case = self.a_case_in_trouble(more, 1 + passes % 2, name)
        if not redriving:
            self._do(self.world.overlap(name, limit, 100, passes))
            return case
        self._do(self.world.consume(name, "one", 100))
        self.supplement(case)
        self._do(self.world.relay("intake", 100))
        self._do(
            self.world.redrive_while_reading(
                name, case, 100, passes, reading_first=redriving == "second"
            )
        )
        return case

    # -- the way of events -----------------------------------------------------------------

    @rule(name=SERVICES, limit=LIMITS, killed=st.booleans())
    def relay(self, name: str, limit: int, killed: bool) -> None:
        self._do(self.world.relay(name, limit, killed=killed))

    @rule(name=SERVICES, owner=OWNERS, limit=LIMITS)
    def consume(self, name: str, owner: str, limit: int) -> None:
        self._do(self.world.consume(name, owner, limit))

    @rule(name=SERVICES, owner=OWNERS, limit=LIMITS, killed=st.sampled_from(["before", "after"]))
    def consume_and_die(self, name: str, owner: str, limit: int, killed: str) -> None:
        self._do(self.world.consume(name, owner, limit, killed=killed))

    @rule(name=SERVICES, first=LIMITS, second=LIMITS, passes=st.integers(0, 2))
    def two_owners(self, name: str, first: int, second: int, passes: int) -> None:
        self._do(self.world.overlap(name, first, second, passes))

    # -- trouble ---------------------------------------------------------------------------

    @rule(name=SERVICES, case=cases, number=st.integers(1, 4))
    def poison(self, name: str, case: str, number: int) -> None:
        self.world.poisoned[name, case] = number

    @rule(name=SERVICES, case=cases)
    def redrive(self, name: str, case: str) -> None:
        self._do(self.world.redrive(name, case))

    @rule(
        name=SERVICES,
        case=cases,
        limit=LIMITS,
        passes=st.integers(0, 2),
        reading_first=st.booleans(),
    )
    def redrive_while_reading(
        self, name: str, case: str, limit: int, passes: int, reading_first: bool
    ) -> None:
        self._do(
            self.world.redrive_while_reading(name, case, limit, passes, reading_first=reading_first)
        )

    @precondition(lambda self: self.world.accepted)
    @rule()
    def lose_the_log(self) -> None:
        self._do(self.world.lose_the_log())

    # -- what must hold --------------------------------------------------------------------

    @invariant()
    def holds(self) -> None:
        self._do(self.world.check())

    def teardown(self) -> None:
        try:
            self._do(self.world.settle())
            self._do(self.world.check_at_rest())
        finally:
            self._do(self._stack.aclose())


@pytest.fixture
def storm(make_quiet_runtime: Callable[..., Runtime], postgres: str) -> Iterator[type[Storm]]:
    """Stories, on a loop of their own."""
    Storm.make_runtime = staticmethod(make_quiet_runtime)
    with asyncio.Runner() as runner:
        Storm.run = staticmethod(runner.run)
        yield Storm
        runner.run(disconnect(postgres))


def test_whatever_happens_in_whatever_order(storm: type[Storm]) -> None:
    run_state_machine_as_test(
        storm,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            # In `make test` the same stories everywhere.
            derandomize="STORM_EXAMPLES" not in os.environ,
            print_blob=True,
            phases=(Phase.explicit, Phase.generate)
            if os.environ.get("STORM_UNSHRUNK")
            else tuple(Phase),
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_a_story_ends_the_same_however_fast_it_is_told(storm: type[Storm]) -> None:
    """Limits that refill with time are none of its rules."""
    story = storm()
    case = story.a_case_in_trouble(1, 1, "desk")
    for _ in range(80):
        story.say(case, "urge")
    story.teardown()
