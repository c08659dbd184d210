"""``python -m services.notification``."""

from services.notification.app import build
from shared.cli import service_commands

cli = service_commands("notification", build)

if __name__ == "__main__":
    cli()
