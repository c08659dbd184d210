"""A chain shows the first line that is not as it was written."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from services.desk.domain import chain

AT = datetime(2026, 3, 4, 2, 0, 0, 12, tzinfo=UTC)
Lines = list[tuple[dict[str, Any], str | None]]


def made(n: int, *, old: int = 0, feedback_id: str = "f1") -> tuple[Lines, str | None]:
    lines: Lines = []
    head = None
    for seq in range(1, n + 1):
        row = {"seq": seq, "ce_id": f"e{seq}", "type": "case.noted", "at": AT, "by": {}, "data": {}}
        line = chain.line_of(row | {"words": "not of the chain"}, chain.TIMELINE)
        head = chain.link(head or feedback_id, line) if seq > old else None
        lines.append((line, head))
    return lines, head


def test_what_is_as_it_was_is_intact() -> None:
    lines, head = made(3)
    assert chain.verify("f1", lines, head) == chain.Verdict(3, 0)
    assert chain.verify("f1", [], None).intact


def test_lines_of_before_the_chain_are_counted_and_prove_nothing() -> None:
    lines, head = made(5, old=2)
    lines[0][0]["type"] = "anything"
    assert chain.verify("f1", lines, head) == chain.Verdict(3, 2)
    lines, head = made(2, old=2)
    assert chain.verify("f1", lines, head) == chain.Verdict(0, 2)


@pytest.mark.parametrize("name", chain.TIMELINE)
def test_the_first_changed_line_is_named(name: str) -> None:
    lines, head = made(4)
    lines[1][0][name] = "other"
    assert chain.verify("f1", lines, head).broken == 1


def test_a_line_taken_out_put_in_or_moved_is_found() -> None:
    lines, head = made(4)
    assert chain.verify("f1", lines[:1] + lines[2:], head).broken == 1
    assert chain.verify("f1", lines[:3], head).broken == 3
    assert chain.verify("f1", lines[1:], head).broken == 0
    assert chain.verify("f1", [lines[1], lines[0], *lines[2:]], head).broken == 0
    forged: Lines = [*lines[:2], ({"seq": 9}, None), *lines[2:]]
    assert chain.verify("f1", forged, head).broken == 2
    assert chain.verify("f2", lines, head).broken == 0


def test_a_hash_or_the_end_that_was_changed_is_found() -> None:
    lines, head = made(3)
    assert chain.verify("f1", lines, "0" * 64).broken == 3
    assert chain.verify("f1", lines, None).broken == 3
    lines[2] = (lines[2][0], "0" * 64)
    assert chain.verify("f1", lines, head).broken == 2


def test_lines_of_one_moment_are_put_in_the_order_of_their_chain() -> None:
    lines, head = made(4)
    shuffled: Lines = [lines[1], lines[0], lines[3], lines[2]]
    assert chain.in_order("f1", shuffled) == lines
    lines[1][0]["type"] = "other"
    assert not chain.verify("f1", chain.in_order("f1", lines), head).intact


def test_a_moment_is_the_same_text_in_every_zone() -> None:
    here = AT.astimezone(timezone(timedelta(hours=8)))
    assert chain.line_of({"at": here}, ("at",)) == {"at": "2026-03-04T02:00:00.000012+00:00"}


def test_a_verifier_needs_sha_256_and_json_only() -> None:
    line = {"seq": 1, "data": {"text": "您好", "a": [1, None]}}
    text = '{"data":{"a":[1,null],"text":"您好"},"seq":1}'
    assert json.loads(text) == line
    assert chain.link("f1", line) == hashlib.sha256(("f1" + text).encode()).hexdigest()
