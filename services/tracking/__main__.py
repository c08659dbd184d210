"""``python -m services.tracking``."""

from services.tracking.commands import cli

if __name__ == "__main__":
    cli()
