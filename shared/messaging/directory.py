"""Departments, people, incidents and what was revoked, as every process knows them.

The directory is a small compacted topic that each process reads from the beginning into memory;
no service has to ask another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import UTC, datetime
from typing import Any

import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition
from aiokafka.errors import TopicAuthorizationFailedError

from shared.contracts import DIRECTORY, Event
from shared.contracts.desk import (
    CategoryListed,
    DepartmentListed,
    IncidentListed,
    PersonListed,
    SessionForgotten,
    SessionRevoked,
    SessionsEnded,
    SurgeListed,
    ThemeListed,
)
from shared.contracts.intake import TokenIssued
from shared.contracts.notification import ReportMailed
from shared.contracts.refusal import NoSuchChoice
from shared.contracts.sla import OrdinaryPromisesSet, QuietHoursSet
from shared.contracts.tracking import ReportMade
from shared.messaging.brokers import client_options
from shared.messaging.subscription import believed
from shared.security import SESSION_TICK, Session
from shared.tasks import Supervised

log = structlog.get_logger()


_EVER = datetime.min.replace(tzinfo=UTC)


class DirectoryEmpty(OSError):
    """Nothing is listed yet: at the very first start, until desk's relay has published it.

    Transient (see `failures`): what needs a department waits.
    """


class Directory:
    """What is known of departments, people, incidents, sessions and tokens."""

    def __init__(self) -> None:
        self.loaded = False
        self.listeners: list[Callable[[Event], None]] = []
        """Called with each entry once it is taken in."""
        self.departments: dict[str, tuple[str, str]] = {}
        """Code → (Chinese, English)."""
        self.categories: dict[str, tuple[str, str, str]] = {}
        """Code → (Chinese, English, owning department)."""
        self.closed_departments: dict[str, tuple[str, str]] = {}
        self.closed_categories: dict[str, tuple[str, str, str]] = {}
        """The same of those that nothing new comes to: cases of before still have them."""
        self.category_rules: dict[str, str] = {}
        """The rule that replies in a category cite, where there is one."""
        self.people: dict[str, PersonListed] = {}
        self.incidents: dict[str, IncidentListed] = {}
        """Those that are open."""
        self.themes: dict[str, ThemeListed] = {}
        """What comes up again and again, also what is closed or merged."""
        self.surges: dict[str, SurgeListed] = {}
        """Of what suddenly more is said, those that nobody has judged yet."""
        self.reports: dict[tuple[str, str | None], ReportMade] = {}
        """Kind and department (None: the library) → the last report of it."""
        self.reports_mailed: dict[tuple[str, str], ReportMailed] = {}
        """Kind and account → what became of the last mail with such a report."""
        self.quiet_hours: QuietHoursSet | None = None
        """As the promises were published last; None: nobody ever changed those that are shipped."""
        self.promises: OrdinaryPromisesSet | None = None
        """What is promised for an ordinary comment; None: not told yet."""
        self._named: dict[str, set[str]] = {}
        """Account → accounts that named it as their substitute, whether or not for a time that
        is over."""
        self.revoked_sessions: dict[str, datetime] = {}
        self.sessions_ended: dict[str | None, datetime] = {}
        """Account (None: all) → sessions that had begun by then are over."""
        self.tokens: set[str] = set()
        """Ids of the adapter tokens in use."""

    def apply(self, event: Event) -> None:
        """Take in one entry; the newest wins."""
        match event:
            case DepartmentListed():
                listed = (self.departments, self.closed_departments)
                _file(listed, event.code, (event.zh, event.en), active=event.active)
            case CategoryListed():
                self.category_rules.pop(event.code, None)
                if event.rule:
                    self.category_rules[event.code] = event.rule
                names = (event.zh, event.en, event.department)
                kept = (self.categories, self.closed_categories)
                _file(kept, event.code, names, active=event.active)
            case PersonListed():
                self._list_person(event)
            case ThemeListed():
                self.themes[event.theme_id] = event
            case SurgeListed():
                self.surges.pop(event.surge_id, None)
                if event.status == "suggested":
                    self.surges[event.surge_id] = event
            case IncidentListed():
                self.incidents.pop(event.incident_id, None)
                if event.open:
                    self.incidents[event.incident_id] = event
            case SessionRevoked():
                self.revoked_sessions[event.session_id] = event.expires
            case SessionsEnded():
                self.sessions_ended[event.username] = event.before
            case TokenIssued():
                (self.tokens.discard if event.revoked else self.tokens.add)(event.token_id)
            case ReportMade():
                self.reports[event.kind, event.department] = event
            case QuietHoursSet():
                self.quiet_hours = event
            case OrdinaryPromisesSet():
                self.promises = event
            case ReportMailed():
                self.reports_mailed[event.kind, event.staff] = event
            case _:
                pass
        for listener in self.listeners:
            listener(event)

    def _list_person(self, event: PersonListed) -> None:
        before = self.people.get(event.username)
        if before is not None and before.substitute:
            self._named.get(before.substitute, set()).discard(event.username)
        if event.substitute:
            self._named.setdefault(event.substitute, set()).add(event.username)
        self.people[event.username] = event

    def absent(self, username: str, at: datetime) -> list[PersonListed]:
        """For whom this account stands in at that moment, by name.

        Only who named this very account: the substitute of a substitute is nobody's.
        """
        named = sorted(self._named.get(username, ()))
        return [p for n in named if (p := self.people[n]).active and p.is_away(at)]

    def forget_session(self, session_id: str) -> None:
        """Nobody has to know any more that it was revoked."""
        self.revoked_sessions.pop(session_id, None)

    def is_ended(self, session: Session) -> bool:
        """Whether a session that is not over by itself was ended."""
        if session.session_id in self.revoked_sessions:
            return True
        return session.began < self.first_session(session.username)

    def first_session(self, username: str) -> datetime:
        """Sessions of this account that began earlier are over."""
        ended = self.sessions_ended
        return max(ended.get(username, _EVER), ended.get(None, _EVER)) + SESSION_TICK

    def check_department(self, code: str | None, *others: str) -> None:
        """Raises `NoSuchChoice` for a code that no department has or had, nor `others` are."""
        _check("department", code, self.departments, {*self.closed_departments, *others})

    def check_category(self, code: str | None) -> None:
        """Raises `NoSuchChoice` for a code that no category has or had."""
        _check("category", code, self.categories, self.closed_categories)

    def department_name(self, code: str | None, locale: str = "zh") -> str:
        """What a department is called; the code itself where it is unknown."""
        if code is None:
            return ""
        zh, en = self.departments.get(code) or self.closed_departments.get(code) or (code, code)
        return en if locale == "en" else zh

    def category_name(self, code: str | None, locale: str = "zh") -> str:
        """What a category is called; the code itself where it is unknown."""
        code = code or ""
        found = self.categories.get(code) or self.closed_categories.get(code)
        zh, en, _ = found or (code, code, "")
        return en if locale == "en" else zh

    def staff(
        self,
        *,
        role: str | None = None,
        department: str | None = None,
        present_at: datetime | None = None,
    ) -> list[str]:
        """User names of active people with that role, of that department.

        `present_at`: of those who are not away then, or have somebody who stands in for them.
        """
        return sorted(
            p.username
            for p in self.people.values()
            if p.active
            and (role is None or role in p.all_roles)
            and (department is None or p.department == department)
            and (present_at is None or not p.is_away(present_at) or self.substitute(p, present_at))
        )

    def substitute(self, person: PersonListed, at: datetime) -> str | None:
        """Who stands in for somebody at that moment."""
        named = self.people.get(person.substitute or "")
        return named.username if named is not None and named.active and person.is_away(at) else None


def _file(
    listed: tuple[dict[str, Any], dict[str, Any]],
    code: str,
    names: tuple[str, ...],
    *,
    active: bool,
) -> None:
    """To those that are open, or to those that are closed."""
    into, out_of = listed if active else reversed(listed)
    into[code] = names
    out_of.pop(code, None)


def _check(name: str, code: str | None, listed: Collection[str], more: Collection[str]) -> None:
    # Before anything is listed nobody can say what there is.
    if code and listed and code not in listed and code not in more:
        raise NoSuchChoice(name, listed)


class DirectoryReader:
    """Keeps a `Directory` current from the topic.

    A record that is not believed, or that cannot be read, changes nothing and stops nobody.
    """

    def __init__(self, directory: Directory, kafka: str) -> None:
        self.directory = directory
        self._kafka = kafka
        self._task = Supervised("directory", self._read)
        self._next: dict[TopicPartition, int] = {}
        """Where to go on: what was read again would show older entries for a moment."""

    @property
    def error(self) -> str | None:
        """What ended the reading, while it is not going on."""
        return self._task.error

    async def start(self) -> None:
        """Read in the background."""
        self._task.start()

    async def stop(self) -> None:
        """Stop reading."""
        await self._task.stop()

    async def read_once(self, within: float) -> bool:
        """Read what is listed now, and stop; False where that took longer than so many seconds."""
        await self.start()
        try:
            async with asyncio.timeout(within):
                while not self.directory.loaded:
                    await asyncio.sleep(0.05)
        except TimeoutError:
            return False
        finally:
            await self.stop()
        return True

    async def _read(self) -> None:
        consumer = AIOKafkaConsumer(
            **client_options(self._kafka),
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            request_timeout_ms=10_000,
        )
        await consumer.start()
        try:
            while not (numbers := consumer.partitions_for_topic(DIRECTORY)):
                # Asked for by name: of all topics only those are told that we may see.
                await consumer._client.set_topics([DIRECTORY])
                if DIRECTORY in consumer._client.cluster.unauthorized_topics:
                    raise TopicAuthorizationFailedError(DIRECTORY)
                await asyncio.sleep(0.5)
                await consumer._client.force_metadata_update()
            partitions = [TopicPartition(DIRECTORY, n) for n in numbers]
            consumer.assign(partitions)
            for tp in partitions:
                consumer.seek(tp, self._next.get(tp, 0))
            ends = await consumer.end_offsets(partitions)
            while True:
                if not self.directory.loaded:
                    reached = [await consumer.position(tp) >= ends[tp] for tp in partitions]
                    self.directory.loaded = all(reached)
                for tp, batch in (await consumer.getmany(timeout_ms=500)).items():
                    for raw in batch:
                        self._take(raw)
                        self._next[tp] = raw.offset + 1
                self._task.progressed()
        finally:
            await consumer.stop()

    def _take(self, raw: ConsumerRecord) -> None:
        try:
            if (record := believed("directory", raw)) is None:
                return
            if record.body is None:
                if record.type == SessionForgotten.type:
                    self.directory.forget_session((record.key or b"").decode().partition(":")[2])
                return
            self.directory.apply(record.event())
        except Exception as error:
            # One bad entry must not keep the others from everybody.
            log.error("entry of the directory skipped", error=type(error).__name__)
