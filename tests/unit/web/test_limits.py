"""Who is counted together."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from shared.web.limits import caller


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
