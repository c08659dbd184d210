"""A case that began with a greeting is called by what is said next."""

from __future__ import annotations

from services.desk.jobs import meaning, surges
from shared.contracts.vocabulary import State
from tests.fakes.embedder import Compass
from tests.service.desk import examples
from tests.service.desk.conftest import Desk
from tests.service.desk.test_meaning import kept

COLD = "二楼的自习室空调太冷了"


async def test_it_is_called_and_found_and_counted_by_what_is_said_next(desk: Desk) -> None:
    desk.service.deps.meaning.embedder = Compass()
    case = await desk.case(text="你好")
    await meaning.embed_arrived(desk.service)
    await surges.count_cases(desk.service)
    office = desk.as_("coordinator")
    assert (await office.get(f"/api/cases/{case}")).json()["title"] == "你好"
    for words in ("在吗", COLD, "三楼也是"):
        await desk.process(examples.supplemented(case, words))
    assert (await office.get(f"/api/cases/{case}")).json()["title"] == COLD
    assert COLD in (await office.get("/desk?queue=triage")).text
    await meaning.embed_arrived(desk.service)
    assert "air" in (await kept(desk))[case][1]
    assert await surges.count_arrived(desk.service, [case]) == 1
    # Routing decides once more, and it goes where that says.
    await desk.process(examples.routed(case, "facilities", category="air"))
    assert (await office.get(f"/api/cases/{case}")).json()["state"] == State.DISPATCHED


async def test_what_says_something_keeps_its_title(desk: Desk) -> None:
    office = desk.as_("coordinator")
    said = await desk.case(text="你好\n灯不亮了")
    assert (await office.get(f"/api/cases/{said}")).json()["title"] == "灯不亮了"
    sent = await desk.case(text="你好")
    await desk.process(examples.routed(sent))
    for case, title in ((said, "灯不亮了"), (sent, "你好")):
        await desk.process(examples.supplemented(case, COLD))
        assert (await office.get(f"/api/cases/{case}")).json()["title"] == title
