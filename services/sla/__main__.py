"""``python -m services.sla``: serves; with arguments, one of its commands."""

import sys

from services.sla.app import build
from shared.process import serve

if __name__ == "__main__":
    if sys.argv[1:]:
        from services.sla.commands import cli  # whoever serves need not hold them

        cli()
    else:
        serve("sla", build)
