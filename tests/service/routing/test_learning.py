"""What people do with cases is kept as labels, and learned from in versions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from services.routing import jobs, learning
from services.routing.domain.model import NOT_OURS
from services.routing.store import learned
from shared.contracts.desk import (
    CaseCorrected,
    CaseRecalled,
    CaseRejected,
    CaseReplied,
    CaseRestored,
)
from shared.contracts.refusal import NotFound
from shared.contracts.vocabulary import CaseType, Outcome, Priority, State
from shared.db.engine import driver_of
from tests.service.routing.conftest import NOW, SHIPPED, Routing, dispatched, returned
from tests.service.routing.test_understanding import UNHEARD_OF, Sure
from tests.unit.routing.test_kinds import taught as taught_kinds
from tests.unit.routing.test_learning import OWNERS, SILENT, letters, meant, wide


async def label(routing: Routing, feedback_id: str) -> tuple[Any, ...] | None:
    async with routing.service.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT department, category, how, outcome FROM labels WHERE feedback_id = :id"),
            {"id": feedback_id},
        )
        row = rows.first()
        return row and tuple(row)


def replied(feedback_id: str, department: str | None) -> CaseReplied:
    return CaseReplied(
        feedback_id=feedback_id,
        at=NOW,
        department=department,
        text="已处理。",
        outcome=Outcome.SOLVED,
    )


async def test_what_people_do_says_where_a_case_belonged(routing: Routing) -> None:
    case = await routing.receive("三层东区占座没人管")
    assert await label(routing, case) is None
    await routing.process(dispatched(case, "it", category="systems"))
    assert await label(routing, case) == ("it", "systems", "dispatched", None)
    await routing.process(returned(case, "it"))
    assert await label(routing, case) is None
    await routing.process(replied(case, "space"))
    assert await label(routing, case) == ("space", "seats", "answered", "solved")
    about = CaseCorrected(
        feedback_id=case,
        at=NOW,
        state=State.REPLIED,
        changed=("category",),
        department="space",
        category="facilities",
        case_type=CaseType.COMPLAINT,
        priority=Priority.P3,
        reason="说的是空调",
    )
    await routing.process(about)
    assert await label(routing, case) == ("space", "facilities", "corrected", "solved")
    await routing.process(CaseRecalled(feedback_id=case, at=NOW, department="space", reason="x"))
    assert await label(routing, case) is None


async def test_what_is_refused_with_somebody_else_to_ask_is_not_ours(routing: Routing) -> None:
    case, plain = await routing.receive(UNHEARD_OF), await routing.receive(UNHEARD_OF)
    await routing.process(
        CaseRejected(feedback_id=case, at=NOW, reason="不归图书馆", instead="后勤集团"),
        CaseRejected(feedback_id=plain, at=NOW, reason="说不清楚"),
        replied(plain, None),
    )
    assert await label(routing, case) == (NOT_OURS, NOT_OURS, "refused", None)
    assert await label(routing, plain) is None
    await routing.process(
        CaseRestored(feedback_id=case, at=NOW, previous=State.REJECTED, reason="x", cycle=2)
    )
    assert await label(routing, case) is None


@pytest.fixture
async def taught(routing: Routing) -> Sure:
    # Wider vectors than the same model has in other files, one of which may have built an index.
    async with routing.service.engine.begin() as connection:
        found = await connection.exec_driver_sql(
            "SELECT indexname FROM pg_indexes WHERE starts_with(indexname, 'vectors_nearest_')"
        )
        for (name,) in found.all():
            await connection.exec_driver_sql(f'DROP INDEX "{name}"')
    embedder = Sure(meant(-0.4, 0.4))
    routing.service.deps.meaning.embedder = embedder
    routing.service.deps.meaning.model = routing.service.deps.meaning.shipped = wide()
    return embedder


async def imported(routing: Routing, count: int) -> None:
    lessons = letters(count)
    async with routing.service.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        rows = [(n, None, one) for n, one in enumerate(lessons)]
        await learned.keep_imported(driver_of(connection), "batch", "compass", rows)


async def test_a_version_is_learned_compared_taken_and_taken_back(
    routing: Routing, taught: Sure
) -> None:
    service, meaning = routing.service, routing.service.deps.meaning
    with pytest.raises(learning.NothingToLearn, match="0 cases, 0 of them new"):
        await learning.learn(service, by="train")
    await imported(routing, 240)
    said = await learning.learn(service, by="train", source="history.csv")
    assert (said.version, said.taken, said.compared_with) == (1, True, 0)
    assert (meaning.version, meaning.model) == (1, said.trained.model)
    event = await routing.last(await routing.receive(UNHEARD_OF))
    assert (event["decided"], event["department"]) == ("model", "it")
    assert event["model_version"] == 1

    # Nothing is new since: the running version has learned from all of it.
    with pytest.raises(learning.NothingToLearn, match="240 cases, 0 of them new"):
        await learning.learn(service, by="train")
    async with service.engine.connect() as connection:
        (kept,) = await learned.versions(connection)
    assert (kept["by"], kept["source"], kept["letters"]) == ("train", "history.csv", 240)
    assert kept["measured"]["new"]["first"] > kept["measured"]["running"]["first"]

    await learning.take(service, 0, by="coordinator")
    assert (meaning.version, meaning.model) == (0, meaning.shipped)
    with pytest.raises(NotFound):
        await learning.take(service, 7, by="coordinator")
    await learning.take(service, 1, by="coordinator")
    assert meaning.version == 1
    # Another process follows what was taken.
    meaning.use(meaning.shipped, 0)
    assert await learning.refresh_model(service)
    assert (meaning.version, meaning.model) == (1, said.trained.model)


async def test_a_version_that_was_surer_than_is_shipped_is_read_no_surer(
    routing: Routing, taught: Sure
) -> None:
    service, meaning = routing.service, routing.service.deps.meaning
    before = wide().model_copy(update={"temperature": 0.4, "sure_at": 0.5, "bars": {95: 0.5}})
    async with service.transaction() as tx:
        version = await learned.keep_version(
            tx.connection, before, at=tx.now, by=None, source="cases", until=None, measured={}
        )
    await learning.take(service, version, by="coordinator")
    assert meaning.version == version
    assert meaning.model is not None
    assert (meaning.model.temperature, meaning.model.sure_at) == (1.0, 0.8)
    assert meaning.model.bar(0.99) > 0.8


async def test_a_version_that_sends_wrongly_and_stays_sends_nothing_more(
    routing: Routing, taught: Sure
) -> None:
    service, meaning = routing.service, routing.service.deps.meaning
    await imported(routing, 240)
    await learning.learn(service, by="train")
    assert (await routing.last(await routing.receive(UNHEARD_OF)))["department"] == "it"
    # What came since is told wrongly first, and then every other one of it, in another way.
    told = letters(390)
    for n, one in enumerate(told):
        if n < 260:
            told[n] = replace(one, owner=OWNERS[(n + 2) % 3])
        elif n % 2:
            told[n] = replace(one, owner=OWNERS[(n + 1) % 3])
    async with service.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        rows = [(n, NOW, one) for n, one in enumerate(told)]
        await learned.keep_imported(driver_of(connection), "later", "compass", rows)
    said = await learning.learn(service, by="train")
    assert said.trained.running.precision < 0.6
    assert (said.taken, said.compared_with, said.raised) == (False, 1, 3)
    assert meaning.version == 3
    event = await routing.last(await routing.receive(UNHEARD_OF))
    assert (event["type"], event["model_version"]) == ("feedback.triage_needed.v1", 3)
    assert event["candidates"][0]["department"] == "it"
    page = (await routing.as_("coordinator").get("/routing/learned")).text
    assert "第 1 版，门槛提高了" in page
    # It has learned nothing by that: what was new still is.
    again = await learning.learn(service, by="train")
    assert (again.compared_with, again.trained.new.letters) == (3, said.trained.new.letters)


async def test_the_page_says_when_what_was_sent_is_far_below_what_is_promised(
    routing: Routing, taught: Sure
) -> None:
    office = routing.as_("coordinator")
    await imported(routing, 240)
    await learning.learn(routing.service, by="train")
    for n in range(9):
        case = await routing.receive(f"{UNHEARD_OF} {n}")
        await routing.process(returned(case, "it"), dispatched(case, "space"))
    page = (await office.get("/routing/learned")).text
    assert "9 件里，派对的只有 0%，远不到要有的 95%" in page


async def test_types_and_priorities_learn_on_from_what_people_said(
    routing: Routing, taught: Sure
) -> None:
    service, meaning = routing.service, routing.service.deps.meaning
    meaning.kinds = meaning.shipped_kinds = taught_kinds(SILENT)
    dispatched_by_person, only_answered = [await routing.receive(UNHEARD_OF) for _ in range(2)]
    await routing.process(dispatched(dispatched_by_person, "it", case_type=CaseType.INQUIRY))
    await routing.process(replied(dispatched_by_person, "it"), replied(only_answered, "it"))
    await jobs.embed_waiting(service)
    async with service.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        owners = list(service.deps.directory.departments)
        found = [
            one.case_type
            async for some in learned.lessons(driver_of(connection), "compass", owners)
            for one in some
        ]
    # What nobody said is no lesson: it is what routing itself had guessed.
    assert sorted(found, key=str) == [None, "inquiry"]

    await imported(routing, 240)
    said = await learning.learn(service, by="train")
    assert said.trained.kinds is not None
    assert said.trained.kind_quality["type"].letters <= 2
    assert meaning.kinds == said.trained.kinds
    await learning.take(service, 0, by="coordinator")
    assert meaning.kinds is meaning.shipped_kinds
    await learning.take(service, said.version, by="coordinator")
    assert meaning.kinds == said.trained.kinds


async def test_what_two_files_say_counts_once_and_the_later_one_is_right(
    routing: Routing, taught: Sure
) -> None:
    service = routing.service
    await imported(routing, 240)
    await learning.learn(service, by="train")
    some = [replace(one, owner="space") for one in letters(5)]
    async with service.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        driver = driver_of(connection)
        known = [(n, None, replace(one, grams=[n])) for n, one in enumerate(letters(5))]
        other = [(n, None, replace(one, grams=[n])) for n, one in enumerate(some)]
        await learned.keep_imported(driver, "one", "compass", known)
        await learned.keep_imported(driver, "two", "compass", [*other[:2], *known[3:]])
        assert await learned.settle_imported(driver, "two") == 4
        seen = await learned.batches_of(driver, 1)
        assert seen == ["batch"]
        all_of_them = await learned.counted(driver, "compass", ["it"], None, seen)
        assert (all_of_them.letters, all_of_them.new_imported) == (245, 5)
        told = learned.lessons(driver, "compass", ["it"], learned=seen)
        read = [one async for part in told for one in part]
    assert sorted(one.owner for one in read if one.new) == sorted(
        ["space", "space", *(one.owner for one in letters(5)[2:])]
    )


async def test_cases_teach_as_far_as_their_words_are_still_known(
    routing: Routing, taught: Sure
) -> None:
    from services.routing import store

    cases = [await routing.receive(f"{UNHEARD_OF} {n}") for n in range(3)]
    secret = await routing.receive(UNHEARD_OF, confidential=True)
    await routing.process(
        *(dispatched(case, "it") for case in cases), dispatched(secret, "it", confidential=True)
    )
    await jobs.embed_waiting(routing.service)
    async with routing.service.transaction() as tx:
        await store.forget(tx, cases[0])
    async with routing.service.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        driver = driver_of(connection)
        owners = ["it", "space"]
        known = await learned.counted(driver, "compass", owners, None)
        assert (known.letters, known.new_cases, known.until) == (2, 2, NOW)
        assert (await learned.counted(driver, "compass", owners, NOW)).new_cases == 0
        read = [one async for some in learned.lessons(driver, "compass", owners) for one in some]
    assert [one.text for one in read] == [f"{UNHEARD_OF} 1", f"{UNHEARD_OF} 2"]
    assert {one.owner for one in read} == {"it"}


async def test_the_page_says_how_often_it_was_right_and_has_the_versions(
    routing: Routing, taught: Sure
) -> None:
    await imported(routing, 240)
    await learning.learn(routing.service, by="train")
    right, wrong, open_ = [await routing.receive(f"{UNHEARD_OF} {n}") for n in range(3)]
    await routing.process(replied(right, "it"))
    await routing.process(returned(wrong, "it"), dispatched(wrong, "space"))
    page = (await routing.as_("coordinator").get("/routing/learned")).text
    assert (await routing.last(open_))["type"] == "feedback.routed.v1"
    assert page.count("50% <small>1/2</small>") == 6  # sent, and first guess, in three tables
    assert "2026-03-02" in page
    assert "第 1 版" in page
    leader = (await routing.as_("leader").get("/routing/learned")).text
    assert "现在学习" in page
    assert "现在学习" not in leader

    office = routing.as_("coordinator")
    trial = await office.get("/routing/learned?try=0")
    assert "试算：什么都还没有变" in trial.text
    for there_is_none in ("77", "x"):
        answer = await office.get(f"/routing/learned?try={there_is_none}")
        assert answer.status_code == 404
    answer = await office.post("/routing/learned", data={"version": "0"})
    assert answer.headers["location"] == "/routing/learned?taken=0"
    assert routing.service.deps.meaning.version == 0
    assert (await office.post("/routing/learned", data={"version": "99"})).status_code == 404
    assert (await office.post("/routing/learned", data={"version": "x"})).status_code == 404
    refused = await routing.as_("leader").post("/routing/learned", data={"version": "1"})
    assert refused.status_code == 403

    await office.post("/routing/learned")
    assert routing.service.deps.meaning.wanted.is_set()
    english = await routing.as_("coordinator", **{"accept-language": "en"}).get("/routing/learned")
    assert "It is learning." in english.text
    await learning.take(routing.service, 1, by="coordinator")
    await jobs.learn_once(routing.service, by="coordinator")
    routing.service.deps.meaning.wanted.clear()
    assert "可以学的还太少" in (await office.get("/routing/learned")).text


async def test_how_sure_it_has_to_be_is_published_with_the_rules(
    routing: Routing, taught: Sure
) -> None:
    await imported(routing, 240)
    await learning.learn(routing.service, by="train")
    model = routing.service.deps.meaning.model
    assert model.bars[80] <= model.bars[95] == model.sure_at <= model.bars[99]
    office = routing.as_("coordinator")
    page = (await office.get("/routing/learned")).text
    assert '<option value="95" selected>95%：在用的一版会自动派出' in page
    assert (await office.post("/routing/learned", data={"precision": "96"})).status_code == 404
    leader = await routing.as_("leader").post("/routing/learned", data={"precision": "90"})
    assert leader.status_code == 403
    answer = await office.post("/routing/learned", data={"precision": "90"})
    assert answer.headers["location"] == f"/routing/learned?sure={SHIPPED + 1}"
    assert routing.rules.ruleset.book.precision == 0.9
    assert (await office.get("/api/routing/rules")).json()["precision"] == 0.9
    assert '<option value="90" selected>' in (await office.get("/routing/learned")).text


async def test_an_empty_library_has_an_empty_page(routing: Routing) -> None:
    page = await routing.as_("auditor").get("/routing/learned")
    assert "近 12 周没有反馈" in page.text
    assert (await routing.as_("handler").get("/routing/learned")).status_code == 403
    assert (await routing.visitor().get("/routing/learned")).status_code == 303
