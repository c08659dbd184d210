"""``python -m services.intake``: run it, or one of its commands."""

from __future__ import annotations

from services.intake.commands import cli

if __name__ == "__main__":
    cli()
