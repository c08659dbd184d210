"""The commands of notification: those that every service has."""

from __future__ import annotations

from services.notification.app import build
from services.notification.deps import NAME
from shared.cli import service_commands

cli = service_commands(NAME, build)
