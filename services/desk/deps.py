"""What the entry points of desk work with."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from shared.messaging.directory import Directory
from shared.messaging.transaction import Transaction
from shared.web.auth import service_of
from shared.web.pages import Pages
from shared.web.sign_in import SignInLimits

NAME = "desk"


@dataclass
class Deps:
    """One per process; nothing in it outlives a restart."""

    directory: Directory
    pages: Pages
    sign_in: SignInLimits
    own_addresses: frozenset[str] = frozenset()
    """Addresses and domains of the library, in lower case: staff may name them to everybody."""
    work: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a job over many cases was begun."""


def deps_of(where: Transaction | HTTPConnection) -> Deps:
    """The deps of desk, in a transaction of desk or for a request to it."""
    deps: Deps = where.deps if isinstance(where, Transaction) else service_of(where, NAME).deps
    return deps
