"""``python -m services.tracking``."""

from services.tracking.app import build
from services.tracking.rebuild import rebuild_views
from shared.cli import service_commands, with_service

cli = service_commands("tracking", build)


@cli.command()
def rebuild() -> None:
    """Drop the read models and project them anew from the log. Nobody is notified again."""
    with_service(build, rebuild_views)


if __name__ == "__main__":
    cli()
