"""What the doors of routing work with: the rules in force, the directory, the pages."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from services.routing import store
from services.routing.domain import RuleSet, RulesInvalid
from services.routing.store import Stored
from shared.messaging.directory import Directory
from shared.web.pages import Pages

log = structlog.get_logger()


class Rules:
    """The compiled rules in force; the shipped ones until the database was asked."""

    def __init__(self) -> None:
        self.stored = store.shipped_rules()
        self.problem: str | None = None

    @property
    def version(self) -> int:
        return self.stored.version

    @property
    def ruleset(self) -> RuleSet:
        return self.stored.ruleset

    def use(self, stored: Stored) -> None:
        """Decide by these from now on."""
        self.stored, self.problem = stored, None

    async def refresh(self, connection: AsyncConnection) -> bool:
        """Follow what is stored, whoever edited it; True when it was another version.

        Rules that this code cannot read (written by a newer one) leave the old ones in force.
        """
        version = await store.stored_version(connection)
        if version is None or (version == self.version and self.stored.at is not None):
            return False
        try:
            stored = await store.stored_rules(connection)
        except RulesInvalid as invalid:
            self.problem = f"rules version {version} cannot be used: {invalid.errors[0]}"
            log.error("rules cannot be used", version=version, error=invalid.errors[0])
            return False
        if stored is not None:
            self.use(stored)
        return True


@dataclass
class Tools:
    """What stands in ``tx.tools``."""

    directory: Directory
    pages: Pages
    rules: Rules = field(default_factory=Rules)
    compiling: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One edit is checked at a time: compiling a large rule book takes a moment."""
