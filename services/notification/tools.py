"""What the doors of notification work with: the outlets, the directory, names for receivers."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.notification.domain import Case, plain_address, staff_of
from services.notification.outlets import (
    NeverThere,
    OutgoingMessage,
    Outlet,
    Printer,
    Sent,
    fixed_message_id,
)
from services.notification.outlets.console import harmless
from services.notification.store import DeliveryRow, PrivateRow
from services.notification.texts import Facts, compose
from shared.messaging.directory import Directory

CONSOLE = "console"
TOO_LONG_FOR_WECHAT = "wechat_45002"


@dataclass
class Tools:
    """One per service; nothing here survives a restart or needs to."""

    directory: Directory
    base_url: str
    domain: str
    """Of our own mail."""
    key: bytes = field(repr=False)
    mail: Outlet
    wechat: Mapping[str, Outlet]
    """By account; empty without the setting."""
    wechat_twin: Outlet
    printer: Printer
    worker: str
    locale: str = "zh"
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def message_id(self, delivery: str) -> str:
        """The ``Message-ID`` of a delivery."""
        return fixed_message_id(delivery, self.domain)

    def fingerprint(self, value: str) -> str:
        """A keyed hash: tells two addresses apart, and nobody can guess back from it."""
        return hmac.digest(self.key, value.encode(), "sha256").hex()[:24]

    def email_of(self, staff: str) -> str | None:
        """The address of an active member of staff, where the directory has one."""
        person = self.directory.people.get(staff)
        return person.email or None if person is not None and person.active else None

    def account(self, case: Case, private: PrivateRow) -> str:
        """The official account whose follower the reporter is."""
        named = private.wechat_account or case.account or ""
        if named not in self.wechat and len(self.wechat) == 1:
            return next(iter(self.wechat))
        return named

    def address(self, row: DeliveryRow, private: PrivateRow | None) -> str | None:
        """Where this delivery goes, looked up at the last moment."""
        if staff := staff_of(row.recipient):
            return self.email_of(staff)
        if private is None:
            return None
        return private.wechat_openid if row.channel == "wechat" else private.email

    def lane(self, channel: str, address: str, account: str = "") -> tuple[str, str]:
        """``(lane, receiver)`` of an address, neither of which names it."""
        if channel == "wechat":
            return f"wechat:{account}", self.fingerprint(f"{account} {address}")
        domain = address.rpartition("@")[2].lower()
        return f"email:{self.fingerprint(domain)}", self.fingerprint(plain_address(address))

    def outlet(self, row: DeliveryRow) -> Outlet:
        """The way out for this delivery."""
        if row.channel != "wechat":
            return self.mail
        if not self.wechat:
            return self.wechat_twin
        outlet = self.wechat.get(row.lane.removeprefix("wechat:"))
        return outlet or _Unknown()

    def message(
        self, row: DeliveryRow, case: Case, private: PrivateRow | None, to: str
    ) -> OutgoingMessage:
        """The message as it goes out now."""
        subject, text, locale = self.words(row, case, private)
        return OutgoingMessage(
            message_id=row.message_id,
            to=to,
            subject=subject,
            text=text,
            locale=locale,
            kind=row.kind,
        )

    def words(
        self, row: DeliveryRow, case: Case, private: PrivateRow | None
    ) -> tuple[str, str, str]:
        """Subject, text and language."""
        staff = staff_of(row.recipient)
        if staff is not None:
            person = self.directory.people.get(staff)
            locale = person.locale if person is not None else self.locale
            url = f"{self.base_url}/desk/cases/{row.feedback_id}"
        else:
            locale = case.locale
            url = f"{self.base_url}/track/{private.tracking_code if private else ''}"
        subject, text = compose(
            row.kind,
            Facts(
                url=url,
                locale=locale,
                received_at=case.received_at,
                due=case.due,
                title=case.title if staff is not None else "",
                channel=row.channel,
                params=row.params,
                department_name=self.directory.department_name,
                short=bool(row.params.get("short")),
            ),
        )
        return subject, text, locale

    def say(self, row: DeliveryRow, case: Case) -> None:
        """Tell a member of staff without e-mail, on one line of the console."""
        subject, _, _ = self.words(row, case, None)
        staff = staff_of(row.recipient) or ""
        line = f"→ {staff}: {subject}  {self.base_url}/desk/cases/{row.feedback_id}"
        self.printer.write(harmless(line) + "\n")


class _Unknown:
    """The account is not, or no longer, among ours."""

    channel = "wechat"

    async def send(self, message: OutgoingMessage) -> Sent:
        raise NeverThere("wechat_unknown_account")

    async def aclose(self) -> None:
        """Nothing to let go of."""
