"""The process of the followers, where it does not come to anything."""

from __future__ import annotations

import pytest

from services.demo.clock import DemoClock
from services.demo.followers import Followers, FollowersEnded
from shared.process import Process


def broken(clock: DemoClock) -> Process:
    """What cannot be made."""
    raise SystemExit(3)


async def test_the_play_hears_that_they_have_ended() -> None:
    followers = Followers(broken)
    with pytest.raises(FollowersEnded):
        await followers.start()
    followers.end()
