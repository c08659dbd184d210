"""Who sees what: every role, every kind of owner, every entry point."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from services.desk.domain import OFFERED, Action, permitted
from shared.contracts.intake import PrivateErased
from shared.contracts.vocabulary import Role
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.support import adapter_token

PEOPLE: dict[str, tuple[Role, str | None]] = {
    "coordinator": (Role.COORDINATOR, "relations"),
    "leader": (Role.LEADER, None),
    "auditor": (Role.AUDITOR, None),
    "admin": (Role.ADMIN, None),
    "clerk": (Role.CLERK, "desk"),
    "student": (Role.STUDENT, "desk"),
    "liaison.space": (Role.LIAISON, "space"),
    "handler.space": (Role.HANDLER, "space"),
    "reviewer.space": (Role.REVIEWER, "space"),
    "liaison.it": (Role.LIAISON, "it"),
    "handler.it": (Role.HANDLER, "it"),
    "reviewer.it": (Role.REVIEWER, "it"),
}
MASKED = "我的电话 〔电话〕，占座没人管"
OWNERS = ("nobody", "space", "space, confidential", "entered by clerk", "entered by student")
EVERYTHING = {"coordinator", "leader", "auditor"}
OF_SPACE = {"liaison.space", "handler.space", "reviewer.space"}
SEEN_BY: dict[str, set[str]] = {
    "nobody": EVERYTHING,
    "space": EVERYTHING | OF_SPACE,
    "space, confidential": EVERYTHING | OF_SPACE,
    "entered by clerk": EVERYTHING | {"clerk"},
    "entered by student": EVERYTHING | {"student"},
}
BODIES: dict[Action, dict[str, Any]] = {
    Action.DISPATCH: {"department": "it", "reason": "x"},
    Action.RECALL: {"reason": "x"},
    Action.CORRECT: {"priority": "P1", "reason": "x"},
    Action.REJECT: {"reason": "x"},
    Action.RESTORE: {"reason": "x"},
    Action.ADD_DEPARTMENT: {"department": "it", "question": "x"},
    Action.REMOVE_DEPARTMENT: {"department": "it"},
    Action.FOLLOW_UP: {"solved": "yes", "how": "phone"},
    Action.REOPEN: {"reason": "x"},
    Action.RETURN: {"reason": "x"},
    Action.ASSIGN: {"to": "handler.space"},
    Action.PROGRESS: {"text": "x"},
    Action.AMEND: {"text": "x"},
    Action.ASK: {"question": "x"},
    Action.WAIT: {"for": "x", "reason": "x"},
    Action.SUBMIT: {"text": "x", "outcome": "solved"},
    Action.REPLY: {"text": "x", "outcome": "solved"},
    Action.EXTEND: {"until": "2026-04-01T08:00+08:00", "reason": "x"},
    Action.FINISH_PART: {"text": "x"},
    Action.EXPLAIN_BREACH: {"clock": "RESOLUTION", "code": "other", "text": "x"},
    Action.SEND_BACK: {"comment": "x"},
    Action.REFUSE_EXTENSION: {"reason": "x"},
    Action.SUPERVISE: {"text": "x"},
    Action.UPHOLD: {"reason": "x"},
    Action.DISMISS: {"reason": "x"},
    Action.NOTE: {"text": "x"},
    Action.UNMERGE: {"reason": "x"},
    Action.SPLIT: {"parts": [{"text": "x"}, {"text": "y"}]},
}


async def make(desk: Desk, owner: str) -> str:
    match owner:
        case "space" | "space, confidential":
            feedback_id = await desk.case(confidential=owner != "space")
            await desk.process(examples.routed(feedback_id, "space"))
        case "entered by clerk" | "entered by student":
            feedback_id = await desk.case(entered_by=owner.split()[-1])
        case _:
            feedback_id = await desk.case()
    await desk.process(examples.private(feedback_id))
    return feedback_id


def client(desk: Desk, person: str) -> Any:
    role, department = PEOPLE[person]
    return desk.as_(role, department, person)


@pytest.mark.parametrize("owner", OWNERS)
async def test_only_who_may_see_a_case_can_open_it_or_find_it(desk: Desk, owner: str) -> None:
    feedback_id = await make(desk, owner)
    for person in PEOPLE:
        who = client(desk, person)
        opened = await who.get(f"/api/cases/{feedback_id}")
        listed = (await who.get("/api/cases")).json()["items"]
        found = (await who.get("/api/cases", params={"q": "占座"})).json()["items"]
        of_department = (await who.get("/api/cases?department=space")).json()["items"]
        page = await who.get(f"/desk/cases/{feedback_id}")
        expected = person in SEEN_BY[owner]

        assert opened.status_code == (200 if expected else 404), person
        assert [i["feedback_id"] for i in listed] == ([feedback_id] if expected else []), person
        assert [i["feedback_id"] for i in found] == ([feedback_id] if expected else []), person
        assert bool(of_department) == (expected and owner.startswith("space")), person
        assert page.status_code == (200 if expected else 404), person


@pytest.mark.parametrize("owner", OWNERS)
async def test_every_action_of_every_person_on_every_case_is_answered_by_the_rules(
    desk: Desk, owner: str
) -> None:
    """404 before 403 before 409; 200 only where the page offered it."""
    await desk.person("handler.space", Role.HANDLER, "space")
    # What is confidential is joined to what is, too, only.
    feedback_id, other = await make(desk, owner), await desk.case(confidential=True)
    opened = await desk.as_("coordinator").post("/api/incidents", json={"title": "x", "text": "y"})
    named = {
        Action.MERGE: {"into": other},
        Action.LINK: {"to": other},
        Action.UNLINK: {"to": other},
        Action.JOIN: {"incident": opened.json()["incident_id"]},
    }
    for person, action in itertools.product(PEOPLE, sorted(OFFERED)):
        who = client(desk, person)
        seen = await who.get(f"/api/cases/{feedback_id}")
        may = seen.json()["may"] if seen.status_code == 200 else []
        answer = await who.post(
            f"/api/cases/{feedback_id}/{action}", json=(BODIES | named).get(Action(action), {})
        )
        if person not in SEEN_BY[owner]:
            expected = 404
        elif action not in permitted(PEOPLE[person][0]):
            expected = 403
        else:
            expected = 200 if action in may else 409
        assert answer.status_code == expected, (person, action, answer.text)
        if answer.status_code == 200:
            # A fresh case for the next one: this one has moved on.
            feedback_id = await make(desk, owner)


async def test_nobody_gets_in_without_signing_in(desk: Desk) -> None:
    feedback_id = await desk.case()
    stranger = desk.visitor()
    for answer in (
        await stranger.get("/api/cases"),
        await stranger.get("/api/cases?limit=-1"),
        await stranger.get(f"/api/cases/{feedback_id}"),
        await stranger.get("/api/cases/unknown"),
        await stranger.post(f"/api/cases/{feedback_id}/accept"),
        await stranger.post(f"/api/cases/{feedback_id}/no-such-action"),
        await stranger.post(f"/api/cases/{feedback_id}/reply", content=b"{"),
        await stranger.delete("/api/session"),
    ):
        assert answer.status_code == 401
        assert answer.headers["content-type"] == "application/problem+json"


async def test_an_adapters_token_opens_nothing_here(desk: Desk) -> None:
    token = adapter_token(desk.service.runtime, "survey")
    adapter = desk.visitor(authorization=f"Bearer {token}")
    assert (await adapter.get("/api/cases")).status_code == 403


async def test_a_forged_session_is_no_session(desk: Desk) -> None:
    good = desk.token("coordinator")
    for token in (good[:-1], good + "x", "a.b.c", "fx.x", "eyJhbGciOiJub25lIn0.e30."):
        answer = await desk.visitor(authorization=f"Bearer {token}").get("/api/cases")
        assert answer.status_code == 401, token


async def test_unknown_and_foreign_cases_look_alike(desk: Desk) -> None:
    feedback_id = await make(desk, "space")
    who = client(desk, "handler.it")
    unknown = "018f0000-0000-7000-8000-000000000000"
    foreign = await who.get(f"/api/cases/{feedback_id}")
    for strange in (unknown, "x", "a%00b", "é" * 5, "a" * 300, "%F0%9F%98%80"):
        answer = await who.get(f"/api/cases/{strange}")
        assert (answer.status_code, answer.content) == (404, foreign.content), strange
        assert (await who.post(f"/api/cases/{strange}/accept")).status_code == 404, strange


@pytest.mark.parametrize(
    ("person", "flags", "words", "contact"),
    [
        ("coordinator", {}, True, True),
        ("leader", {}, True, True),
        ("auditor", {}, False, False),
        ("clerk", {}, True, False),
        ("student", {}, False, False),
        ("handler.space", {}, True, True),
        ("handler.space", {"confidential": True}, False, False),
        ("liaison.space", {"anonymous": True}, False, False),
        ("coordinator", {"confidential": True}, True, True),
        ("leader", {"confidential": True}, True, True),
        *((person, {"anonymous": True}, True, False) for person in ("coordinator", "leader")),
        *(
            (person, {"anonymous": True}, False, False)
            for person in ("auditor", "handler.space", "reviewer.space", "student")
        ),
        ("clerk", {"anonymous": True}, True, False),
    ],
)
async def test_words_and_contact_are_shown_to_whom_they_concern(
    desk: Desk, person: str, flags: dict[str, bool], words: bool, contact: bool
) -> None:
    entered_by = person if person in ("clerk", "student") else None
    feedback_id = await desk.case(text=MASKED, entered_by=entered_by, **flags)
    await desk.process(examples.private(feedback_id, **flags), examples.routed(feedback_id))

    answer = await client(desk, person).get(f"/api/cases/{feedback_id}")
    page = await client(desk, person).get(f"/desk/cases/{feedback_id}")

    assert ("13800001234" in answer.json()["text"]) is words
    assert bool(answer.json().get("contact")) is contact
    assert ("w@example.edu" in page.text) is contact
    if not words:
        assert "13800001234" not in answer.text + page.text


async def test_staff_conduct_is_confidential_without_being_asked(desk: Desk) -> None:
    feedback_id = await desk.case(text="台口老师当众说我", entered_by="clerk")
    await desk.process(
        examples.routed(feedback_id, "relations", category="conduct"), examples.private(feedback_id)
    )
    clerk, handler = client(desk, "clerk"), desk.as_("handler", "relations")
    assert (await clerk.get(f"/api/cases/{feedback_id}")).status_code == 404
    case = (await handler.get(f"/api/cases/{feedback_id}")).json()
    assert case["confidential"] is True
    assert "contact" not in case


async def test_erasing_a_person_leaves_the_masked_words_and_nobody_to_contact(desk: Desk) -> None:
    from shared.contracts.intake import PrivateErased

    feedback_id = await desk.case(text="电话 〔电话〕")
    await desk.process(examples.private(feedback_id))
    await desk.process(PrivateErased(feedback_id=feedback_id, at=examples.RECEIVED))
    await desk.process(examples.private(feedback_id))  # a late copy

    case = (await client(desk, "coordinator").get(f"/api/cases/{feedback_id}")).json()

    assert case["text"] == "电话 〔电话〕"
    assert not case.get("contact")


async def test_what_was_said_later_is_read_whole_and_goes_with_the_person(desk: Desk) -> None:
    feedback_id = await desk.case()
    await desk.process(
        examples.private(feedback_id),
        examples.private_words(feedback_id, "w1", "电话 13800001234"),
        examples.supplemented(feedback_id, "电话 〔电话〕"),
    )

    async def read() -> str:
        case = await client(desk, "coordinator").get(f"/api/cases/{feedback_id}")
        return str(case.json()["conversation"][-1]["text"])

    assert await read() == "电话 13800001234"
    await desk.process(
        examples.private_words(
            feedback_id, "w2", "再说一次 13800001234"
        ),  # erased in the same poll
        PrivateErased(feedback_id=feedback_id, at=examples.RECEIVED, words_id="w1"),
        PrivateErased(feedback_id=feedback_id, at=examples.RECEIVED, words_id="w2"),
        PrivateErased(feedback_id=feedback_id, at=examples.RECEIVED),
        examples.private_words(feedback_id, "w1", "电话 13800001234"),  # a late copy
    )
    assert await read() == "电话 〔电话〕"
    async with desk.service.transaction() as tx:
        assert not await tx.fetch("SELECT 1 FROM private_words")
