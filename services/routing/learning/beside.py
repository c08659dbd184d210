"""Training in a process of its own, which stands back for everybody else and has a time limit."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import sys
from array import array
from collections.abc import AsyncGenerator, Sequence

from services.routing.domain import Kinds, Lesson, Model
from services.routing.learning.report import Trained

LONGEST = 600.0
"""Seconds until it is stopped: ten times what 20,000 letters need."""


class TrainingFailed(Exception):
    """Nothing was learned; says why, and names no letter."""


def packed_lesson(one: Lesson) -> str:
    """A lesson as a line of JSON."""
    line: dict[str, object] = {
        "owner": one.owner,
        "vector": base64.b64encode(array("f", one.vector)).decode(),
        "category": one.category,
        "new": one.new,
        "type": one.case_type,
        "priority": one.priority,
    }
    if one.grams is None:
        line |= {"title": one.title, "text": one.text}
    else:
        line["grams"] = list(one.grams)
    return json.dumps(line, ensure_ascii=False)


async def train_beside(
    lessons: AsyncGenerator[Sequence[Lesson], None],
    shipped: Model,
    running: Model,
    departments: Sequence[str],
    *,
    judged: int,
    precision: float = 0.95,
    kinds: tuple[Kinds, Kinds] | None = None,
    within: float = LONGEST,
) -> Trained:
    """Learn from `lessons`, the oldest first, on from what is shipped; raises `TrainingFailed`.

    The last `judged` of those that are new are what the new version and the `running` one are
    compared on; how many they would send is said for this `precision`. `departments` are those
    that work can be sent to; `kinds` what is shipped of types and priorities, and what is running.
    """
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "services.routing.learning",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        limit=1 << 26,
    )
    told = asyncio.create_task(
        _tell(child, lessons, shipped, running, departments, judged, precision, kinds)
    )
    try:
        async with asyncio.timeout(within):
            assert child.stdout is not None
            assert child.stderr is not None
            said, complaint = await asyncio.gather(child.stdout.read(), child.stderr.read())
            with contextlib.suppress(OSError):
                await told
            await child.wait()
    except TimeoutError:
        raise TrainingFailed(f"not done within {within:.0f} s") from None
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
        told.cancel()
        await asyncio.gather(told, return_exceptions=True)
    if child.returncode != 0:
        last = complaint.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise TrainingFailed(last[0][:200] if last else f"exit status {child.returncode}")
    return Trained.model_validate_json(said)


async def _tell(
    child: asyncio.subprocess.Process,
    lessons: AsyncGenerator[Sequence[Lesson], None],
    shipped: Model,
    running: Model,
    departments: Sequence[str],
    judged: int,
    precision: float,
    kinds: tuple[Kinds, Kinds] | None,
) -> None:
    assert child.stdin is not None
    head = {
        "shipped": shipped.model_dump(),
        "running": running.model_dump(),
        "departments": list(departments),
        "judged": judged,
        "precision": precision,
        "kinds": kinds and [one.model_dump() for one in kinds],
    }
    child.stdin.write(json.dumps(head).encode() + b"\n")
    async with contextlib.aclosing(lessons):
        async for some in lessons:
            child.stdin.write("".join(packed_lesson(one) + "\n" for one in some).encode())
            await child.stdin.drain()
    child.stdin.close()
