"""The commands of sla: what would be promised, and a library's past under a policy."""

from __future__ import annotations

from services.sla.app import build
from services.sla.commands.due import due
from services.sla.commands.replay import replay
from services.sla.deps import NAME
from shared.cli import service_commands

cli = service_commands(NAME, build)
cli.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True})(due)
cli.command()(replay)
