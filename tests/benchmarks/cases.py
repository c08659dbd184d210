"""Real cases, made over HTTP as people make them, to be copied into large databases."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx2

from shared.contracts.vocabulary import State
from shared.db.address import parse_address
from shared.ids import new_id
from tests.benchmarks.seeding import Copies, Then, fill_bands, multiply
from tests.benchmarks.site import Site
from tests.service.tracking.recount import SCOPES, recount

SEATS = "三层东区217一上午都是一个水杯占着，人影没有。占座到底管不管？"
ENDED = 18
"""Of twenty cases so many are closed; the others are still worked on."""
APART = timedelta(seconds=160)
"""From one case to the next: twenty-two an hour, a million in five years."""
OPEN = 2_600
"""At that pace, and with five days for each, so many are open at a time."""
_UNTIL = {
    "triage": State.TRIAGE,
    "dispatch": State.DISPATCHED,
    "accept": State.ACCEPTED,
    "assign": State.IN_PROGRESS,
    "reply": State.REPLIED,
    "rate": State.CLOSED,
}


@dataclass(frozen=True)
class Templates:
    """Ids of cases that are over, and of such as are worked on."""

    ended: list[str]
    open: list[str]


class People:
    """Those who work on cases, signed in once."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._signed_in: dict[str, httpx2.AsyncClient] = {}
        self._signing_in = asyncio.Lock()

    async def bring(self, until: str) -> str:
        """Say something and work on it as far as ``until``, a key of `_UNTIL`; gives its id."""
        text = "请问一下，馆里有没有这种书？" if until == "triage" else SEATS
        place = {} if until == "triage" else {"place": "三层东区"}
        receipt = await self._site.client.post(
            "/api/feedback",
            json={"text": text, "channel": "web", "source_message_id": new_id()} | place,
            headers={"Authorization": f"Bearer {self._site.adapter}"},
        )
        assert receipt.status_code == 201, receipt.text
        made = receipt.json()
        feedback_id = str(made["feedback_id"])
        case = await self._reaches(feedback_id, "triage" if until == "triage" else "dispatch")
        where = case["department"]
        for step, who, body in (
            ("accept", f"liaison.{where}", {}),
            ("assign", f"liaison.{where}", {"to": f"handler.{where}"}),
            ("reply", f"handler.{where}", {"text": "已清理占座。", "outcome": "solved"}),
        ):
            if list(_UNTIL).index(step) <= list(_UNTIL).index(until):
                await self._act(who, feedback_id, step, body)
        if until == "rate":
            await self._rate(str(made["tracking_code"]))
        await self._reaches(feedback_id, until)
        return feedback_id

    async def _reaches(self, feedback_id: str, step: str) -> dict[str, Any]:
        for _ in range(1200):
            answer = await self._site.client.get(f"/api/cases/{feedback_id}")
            if answer.status_code == 200 and answer.json()["state"] == _UNTIL[step]:
                return dict(answer.json())
            await asyncio.sleep(0.05)
        raise AssertionError(f"never {_UNTIL[step]}: {answer.text}")

    async def _act(self, who: str, feedback_id: str, action: str, body: dict[str, str]) -> None:
        async with self._signing_in:
            if who not in self._signed_in:
                self._signed_in[who] = await self._site.as_(who)
        answer = await self._signed_in[who].post(f"/api/cases/{feedback_id}/{action}", json=body)
        assert answer.status_code == 200, answer.text

    async def _rate(self, code: str) -> None:
        for _ in range(1200):
            answer = await self._site.client.post(
                f"/api/track/{code}/rate", json={"stars": 5, "solved": "yes"}
            )
            if answer.status_code == 200:
                return
            await asyncio.sleep(0.05)
        raise AssertionError(answer.text)

    async def leave(self) -> None:
        """Close their connections."""
        for client in self._signed_in.values():
            await client.aclose()


async def templates(site: Site) -> Templates:
    """Twenty cases: one at the office, one being worked on, and the rest closed."""
    people, wanted = People(site), ["triage", "assign", *["rate"] * ENDED]
    open_one, open_two, *ended = await asyncio.gather(*map(people.bring, wanted))
    await people.leave()
    await site.quiet()
    return Templates(ended, [open_one, open_two])


async def fill(site: Site, made: Templates, number: int) -> list[str]:
    """Copy the templates in desk and tracking until there are `number` cases more.

    Gives some ids, from all over the table.
    """
    await fill_desk(site, made, number)
    await multiply(
        parse_address(site.database).database("express_tracking"), *_copies(made, number)
    )
    await _count_anew(site)
    connection = await parse_address(site.database).database("express_desk").connect(name="bench")
    try:
        found = await connection.fetch(
            "SELECT feedback_id FROM cases WHERE state = 'CLOSED' ORDER BY feedback_id LIMIT 5000"
        )
    finally:
        await connection.close()
    return [feedback_id for (feedback_id,) in found]


async def fill_desk(site: Site, made: Templates, number: int, then: Then | None = None) -> None:
    """The same in desk alone; see `multiply` for `then`."""
    address = parse_address(site.database).database("express_desk")
    await multiply(address, *_copies(made, number), then=then)


def _copies(made: Templates, number: int) -> tuple[Copies, ...]:
    opened = min(OPEN, number // 4)
    return (
        Copies(made.ended, (number - opened) // len(made.ended), -APART * len(made.ended)),
        # What is open is of these days, however much there was before, and due in the next.
        Copies(made.open, opened // len(made.open), timedelta(minutes=5)),
    )


async def _count_anew(site: Site) -> None:
    """The sums of the board, by the statement that tests hold the kept ones against."""
    connection = (
        await parse_address(site.database)
        .database("express_tracking")
        .connect(name="bench", command_timeout=3600)
    )
    try:
        await connection.execute("TRUNCATE counters, duration_bands")
        await fill_bands(connection)
        for scope in SCOPES:
            await connection.execute(
                "INSERT INTO counters (measure, scope, bucket, department, detail, n) "
                + recount(scope)
            )
        await connection.execute("VACUUM ANALYZE counters, duration_bands")
    finally:
        await connection.close()
