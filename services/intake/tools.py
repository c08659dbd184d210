"""What the doors of intake work with; `app.py` makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from starlette.requests import Request

from services.intake.domain.submission import Ticket
from services.intake.store import Arrival, Receipt
from services.intake.wechat import WechatAccount
from shared.ids import new_id
from shared.messaging.group_commit import GroupCommit
from shared.security import code_hash
from shared.service import House
from shared.web.auth import service_of
from shared.web.limits import Bucket, Failures
from shared.web.pages import Pages


@dataclass
class Tools:
    """Limits count per process; everything else is the house's."""

    house: House
    pages: Pages
    group: GroupCommit[Arrival, Receipt | None]
    accounts: Mapping[str, WechatAccount]
    callers: Bucket = field(default_factory=lambda: Bucket(60, 2))
    """The public, by address. A campus shares addresses, so it is wide."""
    chats: Bucket = field(default_factory=lambda: Bucket(20, 0.2))
    """Followers of an official account: beyond this they get no answer, but are heard."""
    strangers: Failures = field(default_factory=lambda: Failures(60, 600))
    """Addresses that try codes which do not exist."""

    def ticket(self) -> Ticket:
        """Id, code and moment for a comment that just came in."""
        code = self.house.signer.tracking_code()
        return Ticket(new_id(), code, code_hash(code), self.house.clock.now())

    def track_url(self, code: str) -> str:
        """Where its reporter follows it."""
        return f"{self.house.settings.url}/track/{code}"


def tools_of(request: Request) -> Tools:
    """The tools of the intake service of this process."""
    tools: Tools = service_of(request, "intake").tools
    return tools
