"""How a comment comes in: on which channel, by whom, and how its reporter can be reached."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from services.demo import wechat
from services.demo.asking import Asking, Json, Unexpected
from services.demo.letters import Letter, stock

_CHANNELS = {
    "web": 50, "wechat": 19, "desk": 13, "email": 8, "phone": 4, "class_group": 3, "survey": 3,
}  # fmt: skip
_BY_PROGRAM = ("email", "survey")
_DESKS = ("一层总服务台", "三层服务台", "五层咨询台")


@dataclass(frozen=True)
class Said:
    """A comment that came in: its case and the code its reporter holds."""

    feedback_id: str
    """Empty where only the code was told."""
    code: str


async def submit(
    asking: Asking, letter: Letter, number: int, rng: random.Random, tokens: dict[str, str]
) -> Said:
    """Bring a comment in, on one of the channels."""
    channel = rng.choices(list(_CHANNELS), list(_CHANNELS.values()))[0]
    body = _body(letter, number, rng, channel)
    if channel == "wechat":
        code = await wechat.write(asking, f"o-demo-{number}", letter.text, rng)
        return Said("", code)
    if channel == "web":
        answer = await asking.ask("POST", "/api/feedback", body, address=asking.address())
    elif channel in _BY_PROGRAM:
        more = {"channel": channel, "source_message_id": f"demo-{number}"}
        answer = await asking.ask("POST", "/api/feedback", body | more, token=tokens[channel])
    else:
        return await enter(asking, body, channel, rng)
    if answer.status not in (200, 201):
        raise Unexpected(f"{channel}: {answer.status} {answer.body[:300]!r}")
    return _said(answer.json())


async def known(asking: Asking, said: Said) -> Said:
    """The same with its case, once the page of the code shows it."""
    if said.feedback_id:
        return said
    shown = await asking.ask("GET", f"/api/track/{said.code}", address=asking.address())
    if shown.status != 200:
        raise Unexpected(f"{said.code}: {shown.status} {shown.body[:300]!r}")
    return Said(str(shown.json()["feedback_id"]), said.code)


async def enter(asking: Asking, body: Json, channel: str, rng: random.Random) -> Said:
    """Somebody of the staff writes down what was said to them."""
    who = rng.choice(("clerk", "clerk", "student"))
    more = {"channel": channel}
    if channel == "desk":
        more["desk"] = rng.choice(_DESKS)
    receipt = await asking.staff(who, "POST", "/api/desk/feedback", body | more)
    if receipt is None:
        raise Unexpected(f"{who} could not enter a comment")
    return _said(receipt)


def _said(receipt: Json) -> Said:
    return Said(str(receipt["feedback_id"]), str(receipt["tracking_code"]))


def _body(letter: Letter, number: int, rng: random.Random, channel: str) -> Json:
    body: dict[str, Any] = {"text": letter.text, "locale": "en" if letter.english else "zh"}
    if letter.place:
        body["place"] = letter.place
    if letter.about.get("confidential"):
        body["confidential"] = True
    if rng.random() < 0.25 and channel == "web":
        # Whoever uses the form may say what it is about.
        body["category"] = letter.about["category"]
    if rng.random() < 0.15:
        body["anonymous"] = True
    elif channel == "email" or rng.random() < 0.25:
        name = rng.choice(stock()["names"])
        body["contact"] = {"name": name, "email": f"reader{number}@example.edu"}
    return body
