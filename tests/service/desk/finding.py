"""What searches are made for, and how they are asked."""

from __future__ import annotations

from typing import Any

from shared.security import code_hash
from tests.service.desk import examples
from tests.service.desk.conftest import Desk

CODE = "7K3M-9QXA-0BCD-EFGH-2345"
PHONE = "13800001234"
PERSON = ("王小明", "13911112222", "w@example.edu")


async def find(who: Any, q: str, **more: Any) -> list[str]:
    answer = await who.get("/api/cases", params={"q": q} | more)
    assert answer.status_code == 200, answer.text
    return [item["feedback_id"] for item in answer.json()["items"]]


async def make(desk: Desk, **flags: Any) -> str:
    feedback_id = await desk.case(
        text="我的电话 〔电话〕，占座没人管", code_hash=code_hash(CODE), **flags
    )
    name, phone, email = PERSON
    await desk.process(
        examples.private(
            feedback_id,
            text="我的电话 138-0000 1234，占座没人管",
            contact={"name": name, "phone": phone, "email": email},
        ),
        examples.routed(feedback_id),
    )
    return feedback_id


async def found(who: Any, q: str, **more: Any) -> dict[str, Any]:
    answer = await who.get("/api/cases", params={"q": q} | more)
    return {item["feedback_id"]: item["found"] for item in answer.json()["items"]}
