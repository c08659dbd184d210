"""Reporters and staff who talk to the system over HTTP, so that a test begins where it matters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import httpx2

from tests.browser.system import PASSWORD, until
from tests.patience import ANSWER, Patient

Json = dict[str, Any]


@dataclass
class People:
    """Anybody, by account name; signs in once."""

    url: str
    _tokens: dict[str, str] = field(default_factory=dict)
    _codes: list[str] = field(default_factory=list)
    _cases: list[str] = field(default_factory=list)

    def _web(self, **headers: str) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            base_url=self.url,
            headers=headers,
            timeout=ANSWER,
            transport=Patient(httpx2.AsyncHTTPTransport(verify=False)),
        )

    async def token(self, username: str) -> str:
        if username not in self._tokens:
            async with self._web() as web:
                body = {"username": username, "password": PASSWORD}
                answer = await web.post("/api/session", json=body)
                assert answer.status_code == 200, answer.text
                self._tokens[username] = answer.json()["token"]
        return self._tokens[username]

    async def say(self, text: str, **more: Any) -> Json:
        """A comment of a reporter: the receipt."""
        async with self._web() as web:
            answer = await web.post("/api/feedback", json={"text": text, **more})
        assert answer.status_code == 201, answer.text
        self._codes.append(answer.json()["tracking_code"])
        self._cases.append(answer.json()["feedback_id"])
        return dict(answer.json())

    async def heard(self) -> None:
        """Wait until tracking has every comment they made, so that numbers of them stand still."""
        for code in self._codes:

            async def there(code: str = code) -> bool:
                return (await self.track(code))["state"] is not None

            await until(there, what=f"{code} is registered")

    async def later(self, code: str, action: str, **body: Any) -> None:
        """What the reporter does later, once the view they do it from allows it."""

        async def done() -> bool:
            if action not in (await self.track(code))["may"]:
                return False
            async with self._web() as web:
                answer = await web.post(f"/api/track/{code}/{action}", json=body)
            # What the view shows, intake may not know yet.
            assert answer.status_code in (200, 409), answer.text
            return answer.status_code == 200

        await until(done, what=f"the reporter may {action}")

    async def may(self, code: str, action: str) -> None:
        """Wait until the reporter may, by the word of the service that takes it: from then on an
        empty form is refused for what is missing, and not for being too early."""

        async def known() -> bool:
            async with self._web() as web:
                answer = await web.post(f"/api/track/{code}/{action}", json={})
            assert answer.status_code in (409, 422), answer.text
            return answer.status_code == 422

        await until(known, what=f"the reporter may {action}")

    async def track(self, code: str) -> Json:
        async with self._web() as web:
            answer = await web.get(f"/api/track/{code}")
        return dict(answer.json()) if answer.status_code == 200 else {"may": [], "state": None}

    async def case(self, username: str, feedback_id: str) -> Json | None:
        async with self._web(Authorization=f"Bearer {await self.token(username)}") as web:
            answer = await web.get(f"/api/cases/{feedback_id}")
        return dict(answer.json()) if answer.status_code == 200 else None

    async def act(self, username: str, feedback_id: str, action: str, **body: Any) -> Json:
        """What somebody of the staff does to a case."""
        async with self._web(Authorization=f"Bearer {await self.token(username)}") as web:
            answer = await web.post(f"/api/cases/{feedback_id}/{action}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def sorted(self, feedback_id: str) -> Json:
        """The case, once desk has it and routing has had its say."""

        async def known() -> Json | None:
            case = await self.case("coordinator", feedback_id)
            if case is None or case["state"] == "RECEIVED":
                return None
            # One that was sent somewhere and is back again was not left to a person at first.
            heard = {"feedback.triage_needed", "case.dispatched"}
            said = any(line["type"] in heard for line in case["timeline"])
            return case if said or case["state"] != "TRIAGE" else None

        return await until(known, what="routing has had its say")

    async def still(self) -> None:
        """Wait until lists of what they said are in the order they stay in: by what is due."""
        for feedback_id in self._cases:

            async def promised(case_id: str = feedback_id) -> bool:
                case = await self.sorted(case_id)
                clock = {"TRIAGE": "TRIAGE", "DISPATCHED": "ACCEPT"}.get(case["state"])
                return clock is None or clock in {p["clock"] for p in case["promises"]}

            await until(promised, what=f"the next step of {feedback_id} is promised")

    async def at(self, feedback_id: str, department: str) -> str:
        """Brought to a department, to this one where a person has to choose: which it is."""
        case = await self.sorted(feedback_id)
        if case["state"] == "TRIAGE":
            await self.act("coordinator", feedback_id, "dispatch", department=department)
            return department
        return str(case["department"])

    async def in_hand(self, feedback_id: str, department: str) -> str:
        """Accepted, and in the hands of somebody there."""
        where = await self.at(feedback_id, department)
        await self.act(f"liaison.{where}", feedback_id, "accept")
        await self.act(f"handler.{where}", feedback_id, "claim")
        return where

    async def answered(
        self, feedback_id: str, department: str, text: str, outcome: str = "solved"
    ) -> str:
        where = await self.in_hand(feedback_id, department)
        await self.act(f"handler.{where}", feedback_id, "reply", text=text, outcome=outcome)
        return where
