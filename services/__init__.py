"""The six services."""

import sys

# structlog's renderer for developers brings rich where that is installed: 5 MB in every process.
# Ours writes JSON. A command that draws tables imports rich afterwards, as ever.
if "rich" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]
    import structlog  # noqa: F401

    del sys.modules["rich"]
