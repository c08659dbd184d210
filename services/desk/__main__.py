"""``python -m services.desk``: serves; with arguments, one of its commands."""

import sys

from services.desk.app import build
from shared.process import serve

if __name__ == "__main__":
    if sys.argv[1:]:
        from services.desk.commands import cli  # whoever serves need not hold them

        cli()
    else:
        serve("desk", build)
