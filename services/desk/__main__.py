"""``python -m services.desk``."""

from services.desk.commands import cli

if __name__ == "__main__":
    cli()
