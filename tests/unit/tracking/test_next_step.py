"""Whatever became of a case, its reporter reads what is next, and never that it is done if not."""

from __future__ import annotations

from datetime import timedelta
from itertools import product
from types import SimpleNamespace
from typing import Any

import pytest

from services.tracking.domain import view
from services.tracking.domain.view import Line, Seen
from services.tracking.wording import Wording, journey
from shared.contracts.vocabulary import Outcome, Solved, State
from tests.unit.tracking.examples import START

RIGHTS: list[dict[str, Any]] = [
    {"supplement": more, "urge": more, "rate": rate, "withdraw": False, "appeal": appeal}
    | ({"reopen_until": (START + timedelta(days=15)).isoformat()} if reopen else {})
    for more, rate, appeal, reopen in product((False, True), repeat=4)
]
NOW = START + timedelta(days=1)


def wording(locale: str) -> Wording:
    return Wording(
        locale,
        lambda due: "by 17:00 on Tue" if locale == "en" else "周二 17:00 前",
        lambda code: {"it": "IT" if locale == "en" else "信息系统部"}.get(code or "", ""),
    )


def seen(
    state: State,
    *types: str,
    rights: dict[str, Any] = RIGHTS[0],
    solved: Solved | None = None,
    outcome: Outcome = Outcome.SOLVED,
) -> Seen:
    case = SimpleNamespace(
        feedback_id="c",
        state=state,
        department="it",
        received_at=START,
        channel="web",
        place=None,
        category=None,
        priority="P3",
        extended=False,
        promises={},
        details={},
        rights=rights,
        title="灯",
        rated_at=NOW if solved else None,
        solved=solved and solved.value,
    )
    said = {"text": "x", "reason": "x", "outcome": outcome.value}
    lines = [Line(n, START, one, said) for n, one in enumerate(("feedback.received", *types), 1)]
    return Seen(case, lines)


def told(locale: str, one: Seen, **more: Any) -> dict[str, Any]:
    return view.body(one, now=NOW, wording=wording(locale), **more)


@pytest.mark.parametrize("locale", ["zh", "en"])
@pytest.mark.parametrize("state", State)
def test_there_is_always_something_next(state: State, locale: str) -> None:
    histories: list[tuple[str, ...]] = [
        (),
        ("case.replied",),
        ("case.replied", "feedback.supplemented"),
        ("case.rejected",),
        ("case.rejected", "case.appeal_dismissed"),
    ]
    for rights, history, solved in product(RIGHTS, histories, (None, *Solved)):
        one = seen(state, *history, rights=rights, solved=solved)
        for body in (
            told(locale, one),
            told(locale, one, parts=[one]),
            told(locale, seen(State.MERGED, rights=rights, solved=solved), target=one),
        ):
            for part in (body, *body["parts"]):
                assert part["next_step"].strip(), (rights, history, solved)
                assert not set("{}") & set(part["next_step"])


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("state", [State.REPLIED, State.CLOSED])
def test_so_is_there_after_every_outcome(state: State, outcome: Outcome) -> None:
    for rights, solved in product(RIGHTS, (None, *Solved)):
        one = seen(state, "case.replied", rights=rights, solved=solved, outcome=outcome)
        assert told("zh", one)["next_step"]


@pytest.mark.parametrize("solved", [Solved.NO, Solved.PARTLY])
def test_what_is_closed_unsolved_is_nowhere_called_done(solved: Solved) -> None:
    for rights in RIGHTS:
        body = told("zh", seen(State.CLOSED, "case.replied", rights=rights, solved=solved))
        heads = [body["state_text"], journey.sentence(body), journey.state_words(body)]
        assert all("没有解决" in one or "一部分" in one for one in heads), heads
        assert "办完" not in str(heads)
        english = told("en", seen(State.CLOSED, "case.replied", rights=rights, solved=solved))
        heads = [
            english["state_text"],
            journey.sentence(english, "en"),
            journey.state_words(english, "en"),
        ]
        assert all("solved" in one for one in heads), heads
        assert "inished" not in str(heads)


@pytest.mark.parametrize(
    ("rights", "is_left", "in_english"),
    [
        ({"left": 1}, "再请我们重新办一次，那是最后一次", "once more, by 17:00 on Tue"),
        ({"left": 2}, "再请我们重新办，最多 2 次", "2 times at most"),
        ({"left": None}, "可以请我们重新办", "take it up again by 17:00 on Tue"),
        ({}, "不再复核。有新的情况，请另提一条。", "will not be looked at again"),
    ],
)
def test_an_answer_that_a_leader_let_stand_says_so_and_what_is_left(
    rights: dict[str, Any], is_left: str, in_english: str
) -> None:
    until = {"reopen_until": (START + timedelta(days=15)).isoformat()} if rights else {}
    rights = {"appeal_dismissed": True, "reopen_left": rights.get("left")} | until
    for state, solved in product((State.CLOSED, State.REPLIED), (None, *Solved)):
        one = seen(state, "case.replied", "case.appeal_dismissed", rights=rights, solved=solved)
        body = told("zh", one)
        assert body["let_stand"] is True
        assert journey.sentence(body).startswith("馆领导复核过，维持了")
        assert is_left in body["next_step"]
        english = told("en", one)
        assert journey.sentence(english, "en").startswith("A leader looked at it again and let")
        assert in_english in english["next_step"]


def test_what_a_leader_let_stand_is_no_matter_of_who_was_joined() -> None:
    other = seen(
        State.CLOSED, "case.replied", "case.appeal_dismissed", rights={"appeal_dismissed": True}
    )
    body = told("zh", seen(State.MERGED), target=other)
    assert body["let_stand"] is False
    assert "领导" not in journey.sentence(body) + body["next_step"]


def test_what_was_said_of_an_earlier_answer_is_not_said_of_the_last() -> None:
    one = seen(State.CLOSED, "case.replied", solved=Solved.NO)
    again = Line(9, NOW + timedelta(hours=1), "case.replied", {"text": "x", "outcome": "solved"})
    body = told("zh", Seen(one.case, [*one.lines, again]))
    assert (body["solved"], body["state_text"]) == (None, "已办结")


def test_whoever_was_joined_reads_their_own_word_and_not_that_of_the_other() -> None:
    other = seen(State.CLOSED, "case.replied", solved=Solved.NO)
    assert told("zh", seen(State.MERGED), target=other)["solved"] is None
    mine = seen(State.MERGED, "case.answered_through", solved=Solved.NO)
    other = seen(State.CLOSED, "case.replied", solved=Solved.YES)
    assert told("zh", mine, target=other)["state_text"] == "已办结，您说没有解决"
