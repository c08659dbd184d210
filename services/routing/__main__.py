"""``python -m services.routing``."""

from services.routing.commands import cli

if __name__ == "__main__":
    cli()
