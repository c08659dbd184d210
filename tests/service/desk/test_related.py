"""Cases that hang together: joined and parted again, split, linked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from services.desk.jobs import step
from services.desk.store import CaseRow, PrivateWordsRow, drafts, keep_as_written
from services.desk.store.messages import StaffWords
from shared.contracts.intake import Contact, PrivateErased
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.support import RunningClock, at, clock_at, outbox_of


async def work(desk: Desk) -> int:
    """Let the jobs run until there is nothing to do; says how many cases they did."""
    from services.desk.api import perform

    done = 0
    while await step(desk.service, perform):
        done += 1
    return done


async def told(desk: Desk, feedback_id: str, kind: str) -> list[dict[str, Any]]:
    found = await outbox_of(desk.service, feedback_id)
    return [t["body"] for t in found if t["type"] == f"{kind}.v1"]


async def shown(desk: Desk, feedback_id: str) -> dict[str, Any]:
    answer = await desk.as_("coordinator").get(f"/api/cases/{feedback_id}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def merged(desk: Desk, target: str, number: int = 1) -> list[str]:
    """So many cases that were joined to `target`."""
    office = desk.as_("coordinator")
    ids = [await desk.case() for _ in range(number)]
    for feedback_id in ids:
        await desk.do(office, feedback_id, "merge", into=target, reason="同一件事")
    return ids


async def test_a_joined_case_ends_and_both_say_so_once(desk: Desk) -> None:
    target = await desk.in_progress()
    (one,) = await merged(desk, target)
    office = desk.as_("coordinator")
    case = await shown(desk, one)
    assert (case["state"], case["merged_into"]) == ("MERGED", target)
    assert (await shown(desk, target))["merged"] == [one]
    (fact,) = await told(desk, one, "case.merged")
    assert (fact["into"], fact["department"], fact["reason"]) == (target, "space", "同一件事")
    assert fact["rights"] == fact["rights"] | {"supplement": True, "rate": False}
    assert [f["merged"] for f in await told(desk, target, "case.absorbed")] == [one]

    again = await office.post(f"/api/cases/{one}/merge", json={"into": target})
    assert again.status_code == 200
    assert len(await told(desk, one, "case.merged")) == 1
    other = await office.post(f"/api/cases/{one}/merge", json={"into": await desk.case()})
    assert other.status_code == 409


async def test_a_case_is_not_joined_to_itself_nor_to_what_has_ended_nor_in_a_circle(
    desk: Desk,
) -> None:
    office = desk.as_("coordinator")
    one, two, ended = await desk.case(), await desk.case(), await desk.case()
    await desk.do(office, ended, "reject", reason="不归我们")
    for into, status in ((one, 409), (ended, 409), ("0190nothing", 422), ("", 422), (None, 422)):
        answer = await office.post(f"/api/cases/{one}/merge", json={"into": into})
        assert answer.status_code == status, answer.text
        if status == 409:
            assert {"merge", "dispatch", "note"} <= set(answer.json()["allowed"])
    await desk.do(office, one, "merge", into=two)
    circle = await office.post(f"/api/cases/{two}/merge", json={"into": one})
    assert circle.status_code == 409
    assert (await shown(desk, two))["state"] == "TRIAGE"
    # Who names a joined case means the one that it was joined to.
    three = await desk.case()
    assert (await desk.do(office, three, "merge", into=one))["merged_into"] == two


async def test_every_joined_reporter_gets_the_answers_without_what_is_known_of_anybody(
    desk: Desk,
) -> None:
    target = await desk.in_progress()
    await desk.process(examples.private(target))
    one, two = await merged(desk, target, 2)
    contact = Contact(name="李雷雷", phone="13911112222", email="li@example.edu")
    await desk.process(examples.private(two, contact=contact))
    handler = desk.as_("handler", "space")
    words = (
        "王小明（13800001234、w@example.edu）、李雷雷（13911112222、LI@example.edu）两位："
        "已经清理，服务台 010-62751234。"
    )
    await desk.do(handler, target, "progress", text="正在清理")
    await desk.do(handler, target, "reply", text=words, outcome="solved")
    (note, reply) = await told(desk, two, "case.answered_through")
    assert (note["kind"], note["text"], note["rights"]["rate"]) == ("progress", "正在清理", False)
    assert (reply["kind"], reply["into"], reply["outcome"]) == ("reply", target, "solved")
    assert reply["rights"]["rate"]
    assert reply["state"] == "MERGED"
    nobody = "〔姓名〕（〔电话〕、〔邮箱〕）"
    public = f"{nobody}、{nobody}两位：已经清理，服务台 010-62751234。"
    assert (reply["text"], reply.get("words_id")) == (public, None)
    (of_one,) = [f for f in await told(desk, one, "case.answered_through") if f["kind"] == "reply"]
    assert of_one["text"] == public
    assert [r["text"] for r in (await shown(desk, two))["replies"]] == [public]

    # Their own reporter gets the words as written, but for what is known of the others.
    (own,) = await told(desk, target, "case.replied")
    assert own["text"] == public
    (private,) = [t["body"] for t in await outbox_of(desk.service) if "reply_words" in t["type"]]
    assert private["text"] == words.replace("李雷雷（13911112222、LI@example.edu）", nobody)
    look = (await handler.post(f"/api/cases/{target}/preview", json={"text": words})).json()
    assert private["text"] in look["letters"][0]["text"]


async def test_who_said_it_twice_is_not_another(desk: Desk) -> None:
    target = await desk.in_progress()
    await desk.process(examples.private(target))
    (one,) = await merged(desk, target)
    await desk.process(examples.private(one))
    words = "王小明您好，已按 13800001234 联系您"
    await desk.do(desk.as_("handler", "space"), target, "progress", text=words)
    (private,) = [t["body"] for t in await outbox_of(desk.service) if "reply_words" in t["type"]]
    assert private["text"] == words


async def test_who_comes_late_gets_the_answer_without_the_first_reporter(desk: Desk) -> None:
    target = await desk.in_progress()
    await desk.process(examples.private(target))
    words = "王小明您好，清理好了"
    await desk.do(desk.as_("handler", "space"), target, "reply", text=words, outcome="solved")
    (late,) = await merged(desk, target)
    (reply,) = await told(desk, late, "case.answered_through")
    assert (reply["text"], reply.get("words_id")) == ("〔姓名〕您好，清理好了", None)
    kept = [t["body"] for t in await outbox_of(desk.service, late) if "reply_words" in t["type"]]
    assert kept == []


async def test_why_it_is_joined_names_nobody_of_the_other(desk: Desk) -> None:
    target, one = await desk.in_progress(), await desk.case()
    await desk.process(examples.private(target))
    reason = "和王小明（13800001234）说的是一件事"
    await desk.do(desk.as_("coordinator"), one, "merge", into=target, reason=reason)
    (fact,) = await told(desk, one, "case.merged")
    assert fact["reason"] == "和〔姓名〕（〔电话〕）说的是一件事"


async def test_an_erasure_reaches_what_staff_wrote_in_the_cases_it_was_joined_with(
    desk: Desk,
) -> None:
    target = await desk.in_progress()
    await desk.process(examples.private(target))
    (one,) = await merged(desk, target)
    contact = Contact(name="李雷雷", phone="13911112222", email="li@example.edu")
    await desk.process(examples.private(one, contact=contact))
    handler = desk.as_("handler", "space")
    await desk.do(handler, target, "reply", text="王小明您好：修好了", outcome="solved")
    words = "王小明、李雷雷（13911112222）：还有一处"
    async with desk.service.transaction() as tx:
        drafts.keep(tx, target, "handler.space", words, None, None)
        # As it was written before the two were joined, or by a release before this one.
        await tx.lock(target, loading=(CaseRow, PrivateWordsRow))
        (kept,) = tx.rows(PrivateWordsRow).for_case(target)
        keep_as_written(tx, target, StaffWords("", words, kept.words_id), publish=True)

    await desk.process(PrivateErased(feedback_id=one, at=examples.RECEIVED))

    hidden = "王小明、〔姓名〕（〔电话〕）：还有一处"
    async with desk.service.transaction() as tx:
        assert [r["text"] for r in await tx.fetch("SELECT text FROM drafts")] == [hidden]
        assert [r["text"] for r in await tx.fetch("SELECT text FROM private_words")] == [hidden]
    sent = [t for t in await outbox_of(desk.service) if t["type"] == "private.reply_words.v1"]
    assert [t["body"]["text"] for t in sent] == [hidden]
    record = (await desk.as_("auditor").get(f"/api/cases/{target}/readings")).json()
    assert (record["intact"], record["erased"]) == (True, False)

    await desk.do(desk.as_("coordinator"), one, "unmerge", reason="不是一件事")
    await desk.process(PrivateErased(feedback_id=target, at=examples.RECEIVED))
    everything = json.dumps(await outbox_of(desk.service), ensure_ascii=False)
    assert "王小明" not in everything
    assert "李雷雷" not in everything


async def test_an_answer_reaches_who_was_joined_by_several_steps_and_who_comes_late(
    desk: Desk,
) -> None:
    office = desk.as_("coordinator")
    middle = await desk.case()
    (far,) = await merged(desk, middle)
    target = await desk.in_progress()
    await desk.do(office, middle, "merge", into=target)
    await desk.do(desk.as_("handler", "space"), target, "reply", text="好了", outcome="solved")
    late = await desk.case()
    await desk.do(office, late, "merge", into=target)
    await desk.do(desk.as_("handler", "space"), target, "amend", text="更正：在三层。")
    later = await desk.case()
    await desk.do(office, later, "merge", into=target)
    for one in (middle, far, late, later):
        through = await told(desk, one, "case.answered_through")
        assert [f["text"] for f in through] == ["好了", "更正：在三层。"], one
        assert [f.get("amends") for f in through] == [None, True]
    # Parted again it takes its own with it.
    await desk.do(office, middle, "unmerge", reason="不是一件事")
    assert (await shown(desk, far))["merged_into"] == middle


async def test_a_rejection_is_the_answer_for_all_of_them(desk: Desk) -> None:
    target = await desk.case()
    (one,) = await merged(desk, target)
    await desk.do(desk.as_("coordinator"), target, "reject", reason="归学校管")
    assert [f["text"] for f in await told(desk, one, "case.answered_through")] == ["归学校管"]


async def test_a_joined_reporter_rates_and_nothing_is_closed(desk: Desk) -> None:
    target = await desk.in_progress()
    (one,) = await merged(desk, target)
    await desk.process(examples.rated(one))
    assert [f["request"] for f in await told(desk, one, "case.request_refused")] == [
        "feedback.rated"
    ]
    await desk.do(desk.as_("handler", "space"), target, "reply", text="好了", outcome="solved")
    await desk.process(examples.rated(one))
    assert (await shown(desk, one))["state"] == "MERGED"
    assert (await shown(desk, target))["state"] == "REPLIED"
    assert "rating" in {m["kind"] for m in (await shown(desk, one))["conversation"]}


async def test_what_a_joined_reporter_adds_is_read_by_who_works_on_the_target(desk: Desk) -> None:
    target = await desk.in_progress()
    (one,) = await merged(desk, target)
    before = (await shown(desk, target))["version"]
    await desk.process(examples.supplemented(one, "五楼也是"))
    assert await work(desk) == 1
    case = await shown(desk, target)
    assert case["version"] > before
    (line,) = [m for m in case["conversation"] if m["kind"] == "supplement"]
    assert (line["who"], line["origin"], line["text"]) == ("another", one, "五楼也是")

    await desk.do(desk.as_("handler", "space"), target, "reply", text="好了", outcome="solved")
    await desk.process(examples.supplemented(one, "还是不行"))
    await work(desk)
    assert (await shown(desk, target))["words_owed"]


async def owed_to_joined(desk: Desk) -> tuple[str, str]:
    """An answered case, and one joined to it whose reporter spoke after the answer."""
    target = await desk.in_progress()
    (one,) = await merged(desk, target)
    await desk.do(desk.as_("handler", "space"), target, "reply", text="好了", outcome="solved")
    await desk.process(examples.supplemented(one, "我刚去看了，还是坏的"))
    await work(desk)
    return target, one


async def test_what_a_joined_reporter_says_after_the_answer_is_told_as_owed(desk: Desk) -> None:
    target, one = await owed_to_joined(desk)
    (fact,) = await told(desk, target, "case.words_owed")
    assert (fact["origin"], fact["state"], "text" in fact) == (one, "REPLIED", False)
    assert (await shown(desk, target))["words_owed"]


CLOCKS = pytest.mark.parametrize(
    "clock", [clock_at("2026-03-04 10:05"), RunningClock(at("2026-03-04 10:05"))], ids=type
)
"""What is owed is compared with when it was said, also where that is not one and the same look."""


@CLOCKS
async def test_parted_again_a_reporter_takes_with_them_what_they_are_owed(desk: Desk) -> None:
    office = desk.as_("coordinator")
    target, one = await owed_to_joined(desk)
    await desk.do(office, one, "unmerge", reason="是另一件")
    assert [f["settled"] for f in await told(desk, target, "case.released")] == [True]
    assert not (await shown(desk, target))["words_owed"]
    assert (await desk.do(office, target, "close"))["state"] == "CLOSED"


@CLOCKS
@pytest.mark.parametrize("own", [True, False])
async def test_what_somebody_else_is_owed_stays(desk: Desk, own: bool) -> None:
    target, one = await owed_to_joined(desk)
    (two,) = await merged(desk, target)
    await desk.process(examples.supplemented(target if own else two, "我这里也是"))
    await work(desk)
    await desk.do(desk.as_("coordinator"), one, "unmerge", reason="是另一件")
    assert [f["settled"] for f in await told(desk, target, "case.released")] == [False]
    assert (await shown(desk, target))["words_owed"]


@CLOCKS
async def test_what_was_said_before_them_is_owed_still_when_they_are_parted(desk: Desk) -> None:
    target = await desk.in_progress()
    (one,) = await merged(desk, target)
    await desk.do(desk.as_("handler", "space"), target, "reply", text="好了", outcome="solved")
    for whose in (target, one):
        await desk.process(examples.supplemented(whose, "还是坏的"))
        await work(desk)
    await desk.do(desk.as_("coordinator"), one, "unmerge", reason="是另一件")
    assert [f["settled"] for f in await told(desk, target, "case.released")] == [False]
    assert (await shown(desk, target))["words_owed"]


@CLOCKS
async def test_a_joined_reporter_who_takes_it_back_is_owed_nothing(desk: Desk) -> None:
    target, one = await owed_to_joined(desk)
    await desk.process(examples.withdrawn(one))
    await work(desk)
    assert not (await shown(desk, target))["words_owed"]


async def test_words_for_a_target_that_has_ended_are_refused_and_their_writer_hears_it(
    desk: Desk,
) -> None:
    target = await desk.in_progress()
    (one,) = await merged(desk, target)
    await desk.do(desk.as_("handler", "space"), target, "reply", text="好了", outcome="solved")
    await desk.do(desk.as_("coordinator"), target, "close")
    await desk.process(examples.supplemented(one))
    await work(desk)
    (refused,) = await told(desk, one, "case.request_refused")
    assert refused["request"] == "feedback.supplemented"


async def test_parted_again_it_begins_anew_and_the_target_says_so(desk: Desk) -> None:
    target = await desk.in_progress()
    one, two = await merged(desk, target, 2)
    case = await desk.do(desk.as_("coordinator"), one, "unmerge", reason="是另一件")
    assert (case["state"], case["merged_into"], case["cycle"]) == ("TRIAGE", None, 2)
    assert (await shown(desk, target))["merged"] == [two]
    assert [f["merged"] for f in await told(desk, target, "case.released")] == [one]
    again = await desk.as_("coordinator").post(f"/api/cases/{one}/unmerge", json={"reason": "x"})
    assert again.status_code == 409


async def test_one_reporter_who_takes_it_back_leaves_the_others(desk: Desk) -> None:
    target = await desk.in_progress()
    one, two = await merged(desk, target, 2)
    await desk.process(examples.withdrawn(one))
    await work(desk)
    assert (await shown(desk, one))["state"] == "WITHDRAWN"
    assert (await shown(desk, target))["merged"] == [two]
    # When the target's own reporter goes, what the others said is still to be done.
    await desk.process(examples.withdrawn(target))
    await work(desk)
    case = await shown(desk, two)
    assert (case["state"], case["merged_into"]) == ("TRIAGE", None)


async def test_what_is_forgotten_of_one_is_not_forgotten_of_the_other(desk: Desk) -> None:
    target = await desk.in_progress()
    (one,) = await merged(desk, target)
    for feedback_id in (target, one):
        await desk.process(examples.private(feedback_id))
    async with desk.service.transaction() as tx:
        from services.desk import store

        await store.load(tx, [one])
        await store.forget(tx, one)
    assert (await shown(desk, target))["contact"] is not None
    assert "contact" not in await shown(desk, one)


async def test_links_are_of_both_and_can_be_undone(desk: Desk) -> None:
    office = desk.as_("coordinator")
    one, two = await desk.case(), await desk.case()
    for _ in range(2):
        assert (await desk.do(office, one, "link", to=two))["links"] == [two]
    assert (await shown(desk, two))["links"] == [one]
    assert len(await told(desk, two, "case.linked")) == 1
    for to in (one, "0190nothing"):
        answer = await office.post(f"/api/cases/{one}/link", json={"to": to})
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["to"])
    assert (await desk.do(office, two, "unlink", to=one))["links"] == []
    assert (await shown(desk, one))["links"] == []
    assert len(await told(desk, one, "case.unlinked")) == 1


async def test_several_matters_become_several_cases_of_one_reporter(desk: Desk) -> None:
    whole = await desk.case(place="三层")
    await desk.process(examples.private(whole))
    office = desk.as_("coordinator")
    body = {
        "parts": [
            {"text": "占座没人管，电话 13800001234", "category": "seats"},
            {"text": "空调太冷", "title": "空调"},
        ]
    }
    ended = await desk.do(office, whole, "split", **body)
    assert ended["state"] == "MERGED"
    first, second = ended["children"]
    twice = await office.post(f"/api/cases/{whole}/split", json=body)
    assert twice.status_code == 409

    case = await shown(desk, first)
    assert (case["state"], case["parent"], case["category"]) == ("TRIAGE", whole, "seats")
    assert (case["received_at"], case["place"]) == (ended["received_at"], "三层")
    assert case["text"] == "占座没人管，电话 13800001234"
    assert case["contact"]["name"] == "王小明"
    (fact,) = await told(desk, first, "case.split_off")
    assert "13800001234" not in fact["text"]
    assert (fact["parent"], fact["reachable"]) == (whole, ["email"])
    assert (await shown(desk, second))["title"] == "空调"
    # Routing decides about a part as about any comment; intake repeats the contact.
    await desk.read_back(first)
    await desk.process(examples.routed(first), examples.private(first, text=fact["text"]))
    case = await shown(desk, first)
    assert (case["state"], case["text"]) == ("DISPATCHED", "占座没人管，电话 13800001234")
    # For the whole there is nothing to rate, add or take back any more.
    rights = (await told(desk, whole, "case.split"))[0]["rights"]
    assert (rights["supplement"], rights["rate"], rights["withdraw"]) == (False, False, False)


@pytest.mark.parametrize(
    "parts",
    [
        [{"text": "x"}],
        [{"text": "x"}] * 11,
        [{"text": "x"}, {"text": " "}],
        [{"text": "x"}, {"text": "y", "category": "nonsense"}],
        "x",
    ],
)
async def test_what_cannot_be_split_is_said_by_field(desk: Desk, parts: Any) -> None:
    whole = await desk.case()
    answer = await desk.as_("coordinator").post(f"/api/cases/{whole}/split", json={"parts": parts})
    assert answer.status_code == 422
    assert (await shown(desk, whole))["state"] == "TRIAGE"


async def split(desk: Desk, **more: Any) -> tuple[str, list[str]]:
    """A case, and the two that it was split into."""
    whole = await desk.case(**more)
    parts = [{"text": "占座没人管"}, {"text": "空调太冷"}]
    ended = await desk.do(desk.as_("coordinator"), whole, "split", parts=parts)
    return whole, ended["children"]


async def test_what_was_split_goes_on_as_a_whole_again_and_its_parts_end(desk: Desk) -> None:
    whole, parts = await split(desk)
    office = desk.as_("coordinator")
    # A part that was sent on already, and noted upon, says nothing to the reporter yet.
    await desk.process(examples.routed(parts[0]))
    await desk.do(office, parts[0], "note", text="其实是一件事")
    assert "unmerge" in (await shown(desk, whole))["may"]
    case = await desk.do(office, whole, "unmerge", reason="其实是一件事")
    assert (case["state"], case["children"]) == ("TRIAGE", [])
    again = await desk.do(office, whole, "unmerge", reason="其实是一件事")
    assert again["version"] == case["version"]
    (told_of,) = await told(desk, whole, "case.unmerged")
    assert (told_of["children"], told_of["previous_into"]) == (parts, "")
    for part in parts:
        seen = await shown(desk, part)
        assert (seen["state"], seen["merged_into"]) == ("MERGED", whole)
        (ended,) = await told(desk, part, "case.merged")
        assert (ended["into"], ended["put_back"]) == (whole, True)
        assert not any(ended["rights"][name] for name in ("supplement", "rate", "withdraw"))
        # It is nobody's to take out again: the whole can be split anew.
        out = await office.post(f"/api/cases/{part}/unmerge", json={"reason": "x"})
        assert (out.status_code, "unmerge" in out.json()["allowed"]) == (409, False)
    # The answer of the whole reaches its reporter once.
    await desk.do(office, whole, "reply", text="都处理了。", outcome="solved", type="inquiry")
    for part in parts:
        assert await told(desk, part, "case.answered_through") == []


async def test_parts_and_their_parts_are_of_the_reporter_who_wrote_the_whole(desk: Desk) -> None:
    _, parts = await split(desk, reporter_group="students")
    again = [{"text": "占座"}, {"text": "没人管"}]
    smaller = await desk.do(desk.as_("coordinator"), parts[0], "split", parts=again)
    for part in (*parts, *smaller["children"]):
        (began,) = await told(desk, part, "case.split_off")
        assert began["reporter_group"] == "students"
    _, unsaid = await split(desk)
    (began,) = await told(desk, unsaid[0], "case.split_off")
    assert "reporter_group" not in began


async def test_split_anew_only_the_new_parts_are_put_together(desk: Desk) -> None:
    whole, old = await split(desk)
    office = desk.as_("coordinator")
    await desk.do(office, whole, "unmerge", reason="其实是一件事")
    parts = [{"text": "一"}, {"text": "二"}, {"text": "三"}]
    new = (await desk.do(office, whole, "split", parts=parts))["children"]
    assert not set(new) & set(old)
    await desk.do(office, whole, "unmerge", reason="还是一件事")
    for part in new:
        assert (await shown(desk, part))["state"] == "MERGED"
    for part in old:
        assert len(await told(desk, part, "case.merged")) == 1


@pytest.mark.parametrize("happened", ["asked", "answered", "supplemented", "withdrawn", "joined"])
async def test_parts_in_which_something_was_said_stay_apart(desk: Desk, happened: str) -> None:
    whole, (part, other) = await split(desk)
    office = desk.as_("coordinator")
    if happened == "asked":
        await desk.process(examples.routed(part))
        await desk.do(desk.as_("liaison", "space"), part, "accept")
        await desk.do(desk.as_("handler", "space"), part, "claim")
        await desk.do(desk.as_("handler", "space"), part, "ask", question="哪一天？")
        await desk.process(examples.supplemented(part))
    elif happened == "answered":
        await desk.do(office, part, "reply", text="好", outcome="solved", type="inquiry")
    elif happened == "supplemented":
        await desk.process(examples.supplemented(part))
    elif happened == "withdrawn":
        await desk.process(examples.withdrawn(part))
    else:
        await desk.do(office, await desk.case(), "merge", into=part, reason="同一件事")
    before = (await shown(desk, part))["state"]
    refused = await office.post(f"/api/cases/{whole}/unmerge", json={"reason": "x"})
    assert refused.status_code == 409, refused.text
    assert "unmerge" not in refused.json()["allowed"]
    assert (await shown(desk, whole))["state"] == "MERGED"
    assert (await shown(desk, part))["state"] == before
    assert (await shown(desk, other))["state"] == "TRIAGE"
    assert await told(desk, whole, "case.unmerged") == []


async def test_after_a_month_what_was_split_stays_apart(desk: Desk) -> None:
    whole, _ = await split(desk)
    desk.clock.later(days=31)
    assert "unmerge" not in (await shown(desk, whole))["may"]
