"""Who is counted together, and what is counted."""

from __future__ import annotations

import asyncio

import pytest
from starlette.requests import Request

from shared.contracts.refusal import Unavailable
from shared.web.limits import (
    Bucket,
    ConcurrencyLimit,
    Failures,
    attempt,
    caller,
)


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
        (None, ""),
    ],
)
def test_a_household_is_counted_as_one(host: str | None, counted: str) -> None:
    client = None if host is None else (host, 1)
    assert caller(Request({"type": "http", "headers": [], "client": client})) == counted


class Hand:
    """A clock that is turned by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


async def test_tries_at_once_are_counted_before_they_fail() -> None:
    limit = Failures(most=10, seconds=900)
    made = 0

    async def fail() -> int | None:
        nonlocal made
        try:
            async with attempt((limit, "clerk"), refusal=Refused) as one:
                made += 1
                await asyncio.sleep(0)
                one.failed = True
        except Refused as refused:
            return refused.wait
        return None

    answers = await asyncio.gather(*[fail() for _ in range(300)])

    assert made == 10
    assert sum(wait is not None for wait in answers) == 290


async def test_tries_that_succeed_are_given_back() -> None:
    limit = Failures(most=3, seconds=900)
    inside = most = 0

    async def succeed() -> None:
        nonlocal inside, most
        async with attempt((limit, "clerk"), refusal=Refused):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*[succeed() for _ in range(50)])

    assert most == 3
    assert limit.blocked("clerk") is None


async def test_what_breaks_for_another_reason_is_no_failure() -> None:
    limit = Failures(most=1, seconds=900)
    for _ in range(3):
        with pytest.raises(OSError, match="away"):
            async with attempt((limit, "clerk"), refusal=Refused):
                raise OSError("away")
    assert limit.blocked("clerk") is None


async def test_a_refusal_by_one_limit_takes_nothing_from_the_others() -> None:
    wide, narrow = Failures(most=1, seconds=900), Failures(most=1, seconds=900)
    narrow.count("clerk")
    with pytest.raises(Refused):
        async with attempt((wide, "clerk"), (narrow, "clerk"), refusal=Refused):
            pass
    assert await wide.begin("clerk") is None


async def test_a_queue_has_an_end() -> None:
    queue = ConcurrencyLimit(at_once=2, waiting=3)
    go = asyncio.Event()

    async def work() -> None:
        async with queue:
            await go.wait()

    tasks = [asyncio.create_task(work()) for _ in range(10)]
    await asyncio.sleep(0)
    go.set()
    done = await asyncio.gather(*tasks, return_exceptions=True)

    refused = [error for error in done if isinstance(error, Unavailable)]
    assert len(refused) == 5
    assert all(error.retry_after for error in refused)
    async with queue:
        pass


def test_a_bucket_counts_bytes_as_well_as_calls() -> None:
    now = Hand()
    bucket = Bucket(1_000, 10, now=now)
    assert bucket.take("a", 700) is None
    assert bucket.take("a", 700) == 40
    assert bucket.take("b", 700) is None
    now.seconds += 40
    assert bucket.take("a", 700) is None


def test_what_is_larger_than_a_bucket_passes_when_it_is_full_and_is_paid_off() -> None:
    now = Hand()
    bucket = Bucket(1_000, 10, now=now)
    assert bucket.take("a", 5_000) is None
    assert bucket.take("a", 1) == 401


class Refused(Exception):
    def __init__(self, wait: int) -> None:
        self.wait = wait
