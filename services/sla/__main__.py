"""``python -m services.sla``."""

from services.sla.commands import cli

if __name__ == "__main__":
    cli()
