"""`python -m shared.embedded prepare`: called by `make setup`."""

import os
import sys

from shared.embedded import ServerUnavailable, prepare, prepare_model


def main() -> int:
    """Fetch the jars, unless a setting names a Kafka that exists."""
    if sys.argv[1:] != ["prepare"]:
        print("python -m shared.embedded prepare", file=sys.stderr)
        return 2
    if os.environ.get("EXPRESS_EMBEDDINGS", "builtin") == "builtin":
        prepare_model(lambda line: print(line, flush=True))
    if os.environ.get("EXPRESS_KAFKA"):
        return 0
    try:
        prepare(lambda line: print(line, flush=True))
    except ServerUnavailable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
