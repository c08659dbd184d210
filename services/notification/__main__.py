"""``python -m services.notification``: serves; with arguments, one of its commands."""

import sys

from services.notification.app import build
from services.notification.transports.setting import check_settings
from shared.process import serve

if __name__ == "__main__":
    if sys.argv[1:]:
        from services.notification.commands import cli  # whoever serves need not hold them

        cli()
    else:
        serve("notification", build, check_settings)
