"""Search for what names a case or a person: found by those who may see it, and nobody else."""

from __future__ import annotations

import pytest

from shared.ids import new_id
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.finding import CODE, PERSON, PHONE, find, found, make


@pytest.mark.parametrize(
    "typed",
    [
        CODE,
        CODE.lower(),
        CODE.replace("-", ""),
        CODE.replace("-", " "),
        CODE.replace("-", "\u2011"),
        "\u200b" + CODE.replace("-", "\u2212") + "\ufeff",
        "７Ｋ３Ｍ－９ＱＸＡ－０ＢＣＤ－ＥＦＧＨ－２３４５",
        "\u3000" + CODE + "\u3000",
        "7k3m-9qxa-Obcd-efgh-2345",
        f"https://lib.example.edu/track/{CODE}",
        f"Tracking code: {CODE}",
        f"Tracking code: {CODE.replace('-', '')}",
    ],
)
async def test_a_code_is_found_however_it_is_typed(desk: Desk, typed: str) -> None:
    feedback_id = await make(desk)
    assert await find(desk.as_("coordinator"), typed) == [feedback_id]
    assert await find(desk.as_("handler", "space"), typed, queue="mine") == [feedback_id]
    assert await find(desk.as_("handler", "it"), typed) == []
    assert await find(desk.as_("coordinator"), CODE[:-1]) == []


async def test_an_id_is_found_by_who_sees_the_case(desk: Desk) -> None:
    feedback_id = await make(desk)
    for typed in (feedback_id, feedback_id.upper(), f" {feedback_id} "):
        assert await find(desk.as_("auditor"), typed) == [feedback_id]
        assert await find(desk.as_("liaison", "it"), typed) == []


@pytest.mark.parametrize("address", ["{}", "{}?done=note#line-3", "{}/record", " {} "])
async def test_a_case_is_found_by_the_address_of_its_page(desk: Desk, address: str) -> None:
    feedback_id = await make(desk)
    for named in (feedback_id, feedback_id[:13]):
        typed = address.format(f"https://lib.example.edu/feedback/desk/cases/{named}")
        assert await find(desk.as_("coordinator"), typed) == [feedback_id]
        assert await find(desk.as_("handler", "space"), typed, queue="mine") == [feedback_id]
        assert await find(desk.as_("liaison", "it"), typed) == []
    page = await desk.as_("coordinator").get("/desk", params={"q": typed})
    assert f'href="/desk/cases/{feedback_id}"' in page.text
    assert f'value="{typed}"' in page.text, "what was pasted stands where it was pasted"


async def test_an_address_of_no_case_is_said_to_be_none(desk: Desk) -> None:
    await make(desk)
    office = desk.as_("coordinator")
    for path in (f"desk/cases/{new_id()}", f"track/{CODE[:-1]}Z"):
        body = (await office.get("/api/cases", params={"q": f"https://lib.example/{path}"})).json()
        assert (body["items"], body["no_such_code"]) == ([], True)


async def test_the_beginning_of_an_id_finds_what_begins_so(desk: Desk) -> None:
    feedback_id = await make(desk)
    for typed in (
        feedback_id[:8],
        feedback_id[:9],
        feedback_id[:11],
        feedback_id[:13].upper(),
        feedback_id[:13].replace("-", "\u2011"),
        feedback_id.replace("-", "")[:20],
        feedback_id[:-1],
    ):
        assert await find(desk.as_("coordinator"), typed) == [feedback_id], typed
        assert await find(desk.as_("handler", "space"), typed, queue="mine") == [feedback_id], typed
        assert await find(desk.as_("liaison", "it"), typed) == [], typed
    other = f"{int(feedback_id[:8], 16) - 1:08x}"
    none = (other, feedback_id[:7], feedback_id + "0", f"{feedback_id[:8]}-{other[:4]}")
    for typed in (*none, f"座位{feedback_id[:8]}", f"{feedback_id[:4]} {feedback_id[4:8]}"):
        assert await find(desk.as_("coordinator"), typed) == [], typed


WORDS = ("coordinator", "leader", "handler.space")
PEOPLE = {
    "coordinator": ("coordinator", None),
    "leader": ("leader", None),
    "auditor": ("auditor", None),
    "admin": ("admin", None),
    "handler.space": ("handler", "space"),
    "handler.it": ("handler", "it"),
    "clerk": ("clerk", None),
    "student": ("student", None),
}


@pytest.mark.parametrize(
    ("flags", "by_words", "by_person"),
    [
        ({}, {*WORDS, "clerk"}, set(WORDS)),
        ({"anonymous": True}, {"coordinator", "leader", "clerk"}, set()),
        ({"confidential": True}, {"coordinator", "leader"}, {"coordinator", "leader"}),
    ],
)
async def test_a_number_and_a_name_are_found_by_those_who_are_shown_them(
    desk: Desk, flags: dict[str, bool], by_words: set[str], by_person: set[str]
) -> None:
    feedback_id = await make(desk, entered_by="clerk", **flags)
    for person, (role, department) in PEOPLE.items():
        who = desk.as_(role, department)
        for q in (
            PHONE,
            "138 0000 1234",
            "138-0000-1234",
            "１３８００００１２３４",
            "+86 138-0000-1234",
        ):
            found = await find(who, q)
            assert found == ([feedback_id] if person in by_words else []), (person, q)
        for q in (*PERSON, "小明", "139 1111 2222"):
            found = await find(who, q)
            assert found == ([feedback_id] if person in by_person else []), (person, q)


async def test_who_was_erased_is_not_found_any_more(desk: Desk) -> None:
    from shared.contracts.intake import PrivateErased

    feedback_id = await make(desk)
    await desk.process(PrivateErased(feedback_id=feedback_id, at=examples.RECEIVED))
    office = desk.as_("coordinator")
    assert await find(office, PHONE) == await find(office, "王小明") == []
    assert await find(office, CODE) == [feedback_id]


async def test_where_a_name_or_a_number_stands_is_said_and_not_shown(desk: Desk) -> None:
    """The list is no look at who the reporter is."""
    feedback_id = await make(desk)
    office = desk.as_("coordinator")
    for q in (PERSON[0], "138-0000 1234", feedback_id, CODE):
        assert (await found(office, q))[feedback_id] == {"in": "private", "snippet": None}
    assert "case.personal_data_read" not in await desk.emitted(feedback_id)


async def test_digits_beside_words_find_nobody_for_whom_contact_is_not_shown(desk: Desk) -> None:
    feedback_id = await make(desk)
    for q in ("占座 2222", "1391 占座", "没人管 小明", "占座 13911112222"):
        assert await find(desk.as_("coordinator"), q) == [feedback_id], q
        for role, department in (("auditor", None), ("clerk", None), ("handler", "it")):
            assert await find(desk.as_(role, department), q) == [], (role, q)
