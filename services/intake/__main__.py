"""``python -m services.intake``: serves; with arguments, one of its commands."""

import sys

from services.intake.app import build
from services.intake.wechat.accounts import check_settings
from shared.process import serve

if __name__ == "__main__":
    if sys.argv[1:]:
        from services.intake.commands import cli  # whoever serves need not hold them

        cli()
    else:
        serve("intake", build, check_settings)
