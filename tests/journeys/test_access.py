"""Every route that OpenAPI names × everybody who may ask × whose case it is: one expected answer.

A route that is not in the table fails the test, so that nobody adds a entry point without a lock.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

from tests import support
from tests.journeys.conftest import Town

STAFF = ("coordinator", "leader", "auditor", "admin", "clerk", "student",
         "liaison.space", "handler.space", "reviewer.space",
         "liaison.it", "handler.it", "reviewer.it")  # fmt: skip
EVERYBODY = ("stranger", "adapter", *STAFF)
OFFICE = {"coordinator", "leader", "auditor"}
SPACE = {"liaison.space", "handler.space", "reviewer.space"}
IT = {"liaison.it", "handler.it", "reviewer.it"}
OWN, NONE = "own", "unknown"
"""A case of the department ``space``, and one that does not exist."""


def for_anybody(who: str, case: str, good: int) -> int:
    return good if case == OWN else 404


def by_role(*roles: str) -> Any:
    """For staff of these roles; a case that is not there is 404 for them, 403 for the others."""

    def expected(who: str, case: str, good: int) -> int:
        if who == "stranger":
            return 401
        if who not in roles:
            return 403
        return good if case == OWN else 404

    return expected


def who_sees_it(who: str, case: str, good: int) -> int:
    """404 for who may not see it, also where their role could do nothing with it."""
    if who == "stranger":
        return 401
    if who == "adapter":
        return 403
    return good if case == OWN and who in OFFICE | SPACE else 404


def to_explain(who: str, case: str, good: int) -> int:
    """Who edits the promises also sees why a date is what it is."""
    return good if who == "admin" and case == OWN else who_sees_it(who, case, good)


def to_note(who: str, case: str, good: int) -> int:
    expected = who_sees_it(who, case, good)
    return 403 if expected == good and who == "auditor" else expected


def to_answer(who: str, case: str, good: int) -> int:
    expected = who_sees_it(who, case, good)
    return 403 if expected == good and who in {"auditor", "leader", "liaison.space"} else expected


def board(who: str, case: str, good: int) -> int:
    if who in IT:
        return 404
    return by_role(*OFFICE, *SPACE)(who, OWN, good)


def to_submit(who: str, case: str, good: int) -> int:
    return 422 if who == "adapter" else 201  # who brings no message id


def to_sign_in(who: str, case: str, good: int) -> int:
    return good


RULES, EDITORS = (*OFFICE, "admin"), ("coordinator", "admin")
HEADS = ("reviewer.space", "reviewer.it")
ANSWERING = ("handler.space", "handler.it", *HEADS)
TABLE: dict[tuple[str, str], tuple[Any, int, dict[str, Any] | None]] = {
    ("post", "/api/feedback"): (to_submit, 201, {"text": "座位"}),
    ("post", "/api/desk/feedback"): (
        by_role(*set(STAFF) - {"auditor"}), 201, {"text": "座位"}
    ),
    ("post", "/api/feedback/similar"): (to_sign_in, 200, {"text": "座位"}),
    ("post", "/api/track/{code}/matters"): (for_anybody, 200, None),
    ("post", "/api/track/mine"): (to_sign_in, 404, {"token": "x"}),
    ("post", "/api/track/{code}/{action}"): (for_anybody, 422, {"text": " "}),
    ("get", "/api/track/{code}"): (for_anybody, 200, None),
    # Nobody by who they are: by the address that a case, or its page, has for it.
    ("get", "/pictures/{picture_id}"): (to_sign_in, 404, None),
    ("post", "/api/session"): (to_sign_in, 401, {"username": "x", "password": "x"}),
    ("delete", "/api/session"): (by_role(*STAFF), 204, None),
    ("post", "/api/session/password"): (by_role(*STAFF), 422, {}),
    ("post", "/api/session/absence"): (by_role(*STAFF), 422, {"until": "some day"}),
    ("post", "/api/session/reports"): (
        by_role("coordinator", "leader", *HEADS), 422, {"wanted": ["year"]}
    ),
    ("get", "/api/cases"): (by_role(*STAFF), 200, None),
    ("get", "/api/cases/{feedback_id}"): (who_sees_it, 200, None),
    ("post", "/api/cases/{feedback_id}/{action}"): (to_note, 200, {"text": "看过了"}),
    ("put", "/api/cases/{feedback_id}/draft"): (to_answer, 200, {"text": "您好"}),
    ("delete", "/api/cases/{feedback_id}/draft"): (to_answer, 204, None),
    ("get", "/api/cases/{feedback_id}/viewers"): (who_sees_it, 200, None),
    ("put", "/api/cases/{feedback_id}/viewers"): (who_sees_it, 200, {}),
    ("get", "/api/cases/{feedback_id}/colleagues"): (who_sees_it, 200, None),
    ("get", "/api/cases/{feedback_id}/similar"): (who_sees_it, 200, None),
    ("get", "/api/cases/{feedback_id}/answered"): (to_answer, 200, None),
    ("get", "/api/cases/{feedback_id}/promises/{clock}"): (to_explain, 200, None),
    ("get", "/api/cases/{feedback_id}/export"): (who_sees_it, 200, None),
    ("get", "/api/cases/{feedback_id}/readings"): (by_role("auditor"), 200, None),
    ("post", "/api/cases/bulk/{action}"): (by_role("coordinator"), 422, {}),
    ("get", "/api/jobs/{job_id}"): (by_role(*STAFF), 404, None),
    ("post", "/api/jobs/{job_id}/undo"): (by_role(*STAFF), 404, {}),
    ("get", "/api/incidents"): (by_role(*OFFICE), 200, None),
    ("post", "/api/incidents"): (by_role("coordinator"), 422, {}),
    ("get", "/api/incidents/{incident_id}"): (by_role(*OFFICE), 404, None),
    ("post", "/api/incidents/{incident_id}/reply"): (
        by_role("coordinator"), 404, {"text": "已修好", "outcome": "solved"}
    ),
    ("post", "/api/incidents/{incident_id}/close"): (
        by_role("coordinator"), 404, {"reason": "已修好"}
    ),
    ("post", "/api/incidents/{incident_id}/explain"): (
        by_role("coordinator"), 404, {"text": "正在修"}
    ),
    ("get", "/api/canned-replies"): (by_role(*EDITORS, "clerk", *ANSWERING), 200, None),
    ("post", "/api/canned-replies"): (by_role(*EDITORS, *HEADS), 422, {}),
    ("post", "/api/canned-replies/{reply_id}"): (by_role(*EDITORS, *HEADS), 404, {}),
    ("get", "/api/review-rules"): (by_role(*RULES, *HEADS), 200, None),
    ("post", "/api/review-rules"): (by_role(*EDITORS), 422, {}),
    ("get", "/api/surges"): (by_role(*OFFICE), 200, None),
    ("post", "/api/surges/{surge_id}/confirm"): (
        by_role("coordinator"),
        404,
        {"title": "电梯", "text": "在修"},
    ),
    ("post", "/api/surges/{surge_id}/dismiss"): (by_role("coordinator"), 404, {}),
    ("get", "/api/theme-suggestions"): (by_role(*OFFICE), 200, None),
    ("post", "/api/theme-suggestions/{suggestion_id}/keep"): (
        by_role("coordinator", "leader"),
        404,
        {"title": "占座"},
    ),
    ("post", "/api/theme-suggestions/{suggestion_id}/dismiss"): (
        by_role("coordinator", "leader"),
        404,
        {},
    ),
    ("get", "/api/themes"): (by_role(*OFFICE), 200, None),
    ("post", "/api/themes"): (by_role("coordinator", "leader"), 422, {}),
    ("get", "/api/themes/{theme_id}"): (by_role(*OFFICE), 404, None),
    ("post", "/api/themes/{theme_id}"): (
        by_role("coordinator", "leader"), 404, {"title": "占座"}
    ),
    ("post", "/api/themes/{theme_id}/merge"): (
        by_role("coordinator", "leader"), 404, {"into": "nobody"}
    ),
    ("post", "/api/themes/{theme_id}/split"): (
        by_role("coordinator", "leader"), 404, {"title": "清座", "feedback_ids": ["F-nobody"]}
    ),
    ("post", "/api/themes/{theme_id}/cases"): (by_role("coordinator", "leader"), 404, {}),
    ("post", "/api/themes/{theme_id}/measures"): (
        by_role("coordinator", "leader"), 404,
        {"what": "清理", "on": "2026-03-04", "responsible": "空间部"},
    ),
    ("get", "/api/reports/themes"): (by_role(*OFFICE), 200, None),
    ("get", "/api/dashboard"): (board, 200, None),
    ("get", "/api/dashboard/cases"): (board, 200, None),
    ("get", "/api/reports"): (board, 200, None),
    ("get", "/api/reports/cases.{kind}"): (board, 200, None),
    ("get", "/api/reports/mailed"): (by_role("coordinator", "admin", "auditor"), 200, None),
    ("get", "/api/routing/rules"): (by_role(*RULES), 200, None),
    ("put", "/api/routing/rules"): (by_role(*EDITORS), 400, None),
    ("post", "/api/routing/try"): (by_role(*RULES), 200, {"text": "座位"}),
    ("get", "/api/routing/cases/{feedback_id}"): (by_role(*RULES), 200, None),
    ("get", "/api/sla/policy"): (by_role(*STAFF), 200, None),
    ("post", "/api/sla/policy"): (by_role("admin"), 422, {}),
    ("get", "/api/sla/calendar"): (by_role(*STAFF), 200, None),
    ("post", "/api/sla/calendar"): (by_role("admin"), 422, {}),
    ("post", "/api/sla/calendar/preview"): (by_role("admin"), 422, {}),
    ("post", "/api/sla/policy/try"): (by_role("admin"), 422, {}),
    ("get", "/api/sla/trials/{trial_id}"): (by_role("admin"), 404, None),
    ("post", "/api/sla/trials/{trial_id}/publish"): (by_role("admin"), 404, {}),
    ("get", "/api/sla/due"): (by_role(*STAFF), 200, None),
    ("get", "/api/notification/deliveries"): (by_role(*OFFICE), 200, None),
    ("post", "/api/notification/deliveries/{delivery}/resend"): (by_role("coordinator"), 404, {}),
}  # fmt: skip
ENDLESS = {("get", "/api/track/{code}/stream"), ("get", "/api/dashboard/stream")}
BULK = "/api/cases/bulk/{action}"
WITHOUT_CASE = {BULK, *(p for _, p in TABLE if "{" not in p)} - {"/api/notification/deliveries"}
ACTION = re.compile(r"(/api/cases/\{feedback_id\})/[a-z_]+")
"""Each is described by itself; one route answers for all, and who may what is the domain's."""
ASKING = {
    "/api/dashboard": {"department": "space"},
    "/api/dashboard/cases": {"department": "space"},
    "/api/reports": {"department": "space"},
    "/api/reports/cases.{kind}": {"department": "space"},
    "/api/sla/due": {"priority": "P3", "at": "2026-03-04T10:00:00"},
}


async def test_every_route_answers_everybody_by_the_rules(town: Town) -> None:
    paths = town.app.openapi()["paths"]
    described = {
        (m, ACTION.sub(r"\1/{action}", p) if m == "post" else p)
        for p, of in paths.items()
        for m in of
    }
    assert described - ENDLESS == set(TABLE)
    receipt = await town.submit("三层东区217占座，人影没有。", place="三层东区")
    seen = await town.sees(receipt["tracking_code"], "DISPATCHED")
    assert seen["department"] == "space"
    await town.quiet()
    ids = {OWN: receipt["feedback_id"], NONE: "01990000-0000-7000-8000-000000000000"}
    codes = {OWN: receipt["tracking_code"], NONE: "0000-0000-0000-0000-0000"}
    wrong = []
    for (method, path), who in itertools.product(TABLE, EVERYBODY):
        expect, good, body = TABLE[method, path]
        for case in (OWN,) if path in WITHOUT_CASE else (OWN, NONE):
            values = {"feedback_id": ids[case], "code": codes[case], "delivery": "x"}
            values |= {"incident_id": "x", "job_id": "x", "trial_id": "x", "kind": "csv"}
            values |= {"reply_id": "x", "theme_id": "x", "surge_id": "x", "suggestion_id": "x"}
            values |= {"clock": "RESOLUTION", "picture_id": "x"}
            action = "supplement" if path.startswith("/api/track") else "note"
            action = "dispatch" if path == BULK else action
            asked = dict(ASKING.get(path, {}))
            if path.endswith("deliveries"):
                asked["feedback_id"] = ids[case]
            async with town.web(await _token(town, who, fresh=method == "delete")) as web:
                answer = await web.request(
                    method, path.format(action=action, **values), json=body, params=asked
                )
            if answer.status_code != expect(who, case, good):
                wrong.append((method, path, who, case, answer.status_code, expect(who, case, good)))
    assert wrong == []


async def test_who_asks_is_answered_before_what_is_wrong_with_the_question(town: Town) -> None:
    """401 and 403 come first, whatever the body or the query looks like."""
    wrong = []
    for method, path in TABLE:
        if path.startswith(("/api/feedback", "/api/track", "/api/session", "/pictures")):
            continue
        names = ("feedback_id", "delivery", "incident_id", "job_id", "trial_id")
        names += ("reply_id", "theme_id", "surge_id", "suggestion_id")
        strange = dict.fromkeys(names, "\u00e9")
        address = path.format(
            action="dispatch" if path == BULK else "note",
            code="x",
            clock="RESOLUTION",
            kind="csv",
            **strange,
        )
        for who, status in (("stranger", 401), ("adapter", 403)):
            async with town.web(await _token(town, who)) as web:
                for kind in ("application/json", "text/xml", "multipart/form-data"):
                    answer = await web.request(
                        method,
                        address,
                        content=b"{",
                        headers={"Content-Type": kind},
                        params={"limit": "x", "from": "x", "at": "x", "priority": "x"},
                    )
                    if answer.status_code != status:
                        wrong.append((method, path, who, kind, answer.status_code))
    assert wrong == []


async def _token(town: Town, who: str, *, fresh: bool = False) -> str | None:
    if who == "stranger":
        return None
    if who == "adapter":
        return support.adapter_token(town.runtime, "access")
    if not fresh:
        return await town.token(who)
    person = town.runtime.directory.people[who]
    return town.runtime.signer.session(
        username=who,
        display=person.display,
        role=person.role,
        department=person.department,
        now=town.clock.now(),
    )[0]
