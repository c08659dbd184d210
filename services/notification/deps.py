"""What the entry points of notification work with: transports, directory, names of receivers."""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from starlette.requests import HTTPConnection

from services.notification.domain import (
    ABSENCE,
    REPORT,
    About,
    Case,
    Outage,
    is_own_address,
    may_open,
    plain_address,
    reads_report,
    staff_of,
    takes_leave,
)
from services.notification.store.tables import DeliveryRow, PrivateRow
from services.notification.transports import (
    OutgoingMessage,
    PermanentFailure,
    Printer,
    Sent,
    Transport,
    fixed_message_id,
    fixed_thread_id,
)
from services.notification.transports.console import harmless
from services.notification.wording import Details, compose, page_of
from shared.contracts.notification import ReportMailed
from shared.messaging.directory import Directory
from shared.messaging.transaction import Transaction
from shared.security import LINK_TO_MATTERS, Signer
from shared.web.auth import service_of

NAME = "notification"


@dataclass(frozen=True)
class PeopleAt:
    """The directory at one moment, as the domain asks it."""

    directory: Directory
    at: datetime

    def staff(
        self, *, role: str | None = None, department: str | None = None, present: bool = False
    ) -> list[str]:
        """User names of active people; `present`: who is there, or has a substitute."""
        at = self.at if present else None
        return self.directory.staff(role=role, department=department, present_at=at)

    def substitute(self, name: str) -> str | None:
        """Who stands in for this account, while it is away."""
        person = self.directory.people.get(name)
        return None if person is None else self.directory.substitute(person, self.at)

    def wants_report(self, name: str, kind: str) -> bool:
        """Whether this account has not said otherwise."""
        person = self.directory.people.get(name)
        return person is not None and kind not in person.no_reports

    def display(self, name: str) -> str:
        """What this account is called."""
        person = self.directory.people.get(name)
        return (person.display if person is not None else "") or name

    def locale(self, name: str) -> str:
        """The language of this account."""
        person = self.directory.people.get(name)
        return "zh" if person is None else person.locale


_NO_CASE = frozenset({ABSENCE, REPORT, "surge", "matters"})
"""Kinds of messages that are about no single case."""


@dataclass
class Deps:
    """One per service; nothing here survives a restart or needs to."""

    directory: Directory
    base_url: str
    host: str
    """Of the site, as a mail domain: our Message-IDs end with it."""
    answerable: bool
    """Somebody reads what is sent back to our mail."""
    mailboxes: frozenset[str]
    """Addresses that are ours, in their plain form."""
    key: bytes = field(repr=False)
    signer: Signer
    mail: Transport
    wechat: Mapping[str, Transport]
    """By account; empty without the setting."""
    wechat_twin: Transport
    printer: Printer
    worker: str
    locale: str = "zh"
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    outages: dict[str, Outage] = field(default_factory=dict)
    """By transport: which do not work at the moment."""

    def message_id(self, delivery: str) -> str:
        """The ``Message-ID`` of a delivery."""
        return fixed_message_id(delivery, self.host)

    def fingerprint(self, value: str) -> str:
        """A keyed hash: two addresses differ in it, and nobody can guess back from it."""
        return hmac.digest(self.key, value.encode(), "sha256").hex()[:24]

    def email_of(self, staff: str) -> str | None:
        """The address of an active member of staff, where the directory has one."""
        person = self.directory.people.get(staff)
        return person.email or None if person is not None and person.active else None

    def is_own(self, email: str) -> bool:
        """True for an address of ours."""
        return is_own_address(email, self.host, self.mailboxes)

    def people(self, at: datetime) -> PeopleAt:
        """Who works where, and who is there at that moment."""
        return PeopleAt(self.directory, at)

    def mailed(self, row: DeliveryRow) -> ReportMailed | None:
        """What the directory knows of this very mail; the ledger may have lost it."""
        kind, staff = About.of(row.feedback_id).kind, staff_of(row.recipient) or ""
        known = self.directory.reports_mailed.get((kind, staff))
        return known if known is not None and known.delivery_id == row.id else None

    def reads_no_report(self, staff: str, about: About) -> bool:
        """True for somebody who has left, or whose report it is no more."""
        person = self.directory.people.get(staff)
        return person is None or not (
            person.active and reads_report(person.all_roles, person.department, about)
        )

    def finds_nothing(self, staff: str, case: Case, at: datetime) -> bool:
        """True for somebody who moved or left, and would get a 404 for this case."""
        person = self.directory.people.get(staff)
        if person is None:
            return False
        places = [person, *self.directory.absent(staff, at)]
        able = any(may_open(one.all_roles, one.department, case) for one in places)
        return not (person.active and able)

    def complaints(self) -> list[str]:
        """Which transports do not work, for the operator."""
        return [
            f"{name}: unavailable since {outage.since:%Y-%m-%dT%H:%MZ} ({outage.reason})"
            for name, outage in sorted(self.outages.items())
        ]

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

    def rate_limit_key(self, channel: str, address: str, account: str = "") -> tuple[str, str]:
        """``(rate_limit_key, receiver)`` of an address, neither of which names it."""
        if channel == "wechat":
            return f"wechat:{account}", self.fingerprint(f"{account} {address}")
        domain = address.rpartition("@")[2].lower()
        return f"email:{self.fingerprint(domain)}", self.fingerprint(plain_address(address))

    def transport(self, row: DeliveryRow) -> Transport:
        """The way out for this delivery."""
        if row.channel != "wechat":
            return self.mail
        if not self.wechat:
            return self.wechat_twin
        transport = self.wechat.get(row.rate_limit_key.removeprefix("wechat:"))
        return transport or _Unknown()

    def message(
        self,
        row: DeliveryRow,
        case: Case,
        private: PrivateRow | None,
        to: str,
        *,
        part: int | None = None,
    ) -> OutgoingMessage:
        """The message as it goes out now; `part`: which of the matters of a comment it is about."""
        subject, text, locale = self.words(row, case, private, part)
        html = None
        if row.kind == REPORT:
            html = page_of(self._details(row, case, private, locale))
        return OutgoingMessage(
            message_id=row.message_id,
            to=to,
            subject=subject,
            text=text,
            html=html,
            locale=locale,
            kind=row.kind,
            thread_id="" if row.kind in _NO_CASE else fixed_thread_id(row.feedback_id, self.host),
        )

    def words(
        self, row: DeliveryRow, case: Case, private: PrivateRow | None, part: int | None = None
    ) -> tuple[str, str, str]:
        """Subject, text and language."""
        staff = staff_of(row.recipient)
        locale = case.locale
        if staff is not None:
            person = self.directory.people.get(staff)
            locale = person.locale if person is not None else self.locale
        subject, text = compose(row.kind, self._details(row, case, private, locale, part))
        return subject, text, locale

    def _details(
        self,
        row: DeliveryRow,
        case: Case,
        private: PrivateRow | None,
        locale: str,
        part: int | None = None,
    ) -> Details:
        staff = staff_of(row.recipient)
        return Details(
            url=self._page(row, private),
            locale=locale,
            received_at=case.received_at,
            due=case.due,
            part=part,
            title=case.title if staff is not None else "",
            channel=row.channel,
            params=row.params,
            department_name=self.directory.department_name,
            short=bool(row.params.get("short")),
            answerable=self.answerable,
            site=self.base_url,
        )

    def _page(self, row: DeliveryRow, private: PrivateRow | None) -> str:
        """The page that a message leads to; none where its reader would find nothing."""
        if row.kind == REPORT:
            about = About.of(row.feedback_id)
            return f"{self.base_url}/reports?kind={about.kind}&at={about.first}"
        if row.kind == ABSENCE:
            return f"{self.base_url}/desk/account"
        if row.kind == "surge":
            return f"{self.base_url}/desk/incidents#surge-{row.ce_id}"
        if takes_leave(row.params):
            return ""
        if staff_of(row.recipient) is not None:
            return f"{self.base_url}/desk/cases/{row.feedback_id}"
        return f"{self.base_url}/track/{self._behind(row, private)}"

    def _behind(self, row: DeliveryRow, private: PrivateRow | None) -> str:
        """What the link of a message ends with."""
        if row.kind == "matters":
            until = datetime.fromisoformat(row.params["until"])
            link = self.signer.signed(LINK_TO_MATTERS, row.params["request_id"], until=until)
            return f"mine/{link}"
        return private.tracking_code if private else ""

    def print_line(self, row: DeliveryRow, case: Case) -> None:
        """Notify a member of staff without e-mail, on one line of the console."""
        subject, _, _ = self.words(row, case, None)
        staff = staff_of(row.recipient) or ""
        line = f"→ {staff}: {subject}  {self._page(row, None)}".rstrip()
        self.printer.write(harmless(line) + "\n")


def deps_of(where: Transaction | HTTPConnection) -> Deps:
    """The deps of notification, in a transaction of notification or for a request to it."""
    deps: Deps = where.deps if isinstance(where, Transaction) else service_of(where, NAME).deps
    return deps


class _Unknown:
    """The account is not, or no longer, among ours."""

    channel = "wechat"

    async def send(self, message: OutgoingMessage) -> Sent:
        raise PermanentFailure("wechat_unknown_account")

    async def aclose(self) -> None:
        """Nothing to let go of."""
