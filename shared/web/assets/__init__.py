"""Where a page finds its stylesheets and scripts: names that change with their content.

Third-party files are installed from npm by `python -m shared.web.assets` (`make setup`) and are
never committed; our own lie beside them in `shared/web/static`.
"""

import hashlib
import json
from functools import cache
from pathlib import Path

STATIC_DIR = Path(__file__).parent.parent / "static"
"""What is served below `/static`; every address made by `asset_url` may be cached for ever."""

VENDOR_DIR = STATIC_DIR / "vendor"
MANIFEST = VENDOR_DIR / "manifest.json"


class UnknownAsset(LookupError):
    """A page asks for a file that is neither ours nor installed."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(f"no asset {name}: is it in shared/web/static, and did `make setup` run?")


@cache
def asset_url(name: str) -> str:
    """Return the address of a stylesheet, script or picture, such as `tabler.css`.

    Raises UnknownAsset.
    """
    installed = _installed().get(name)
    if installed:
        return f"/static/vendor/{installed}"
    try:
        content = (STATIC_DIR / name).read_bytes()
    except OSError:
        raise UnknownAsset(name) from None
    return f"/static/{name}?v={short_hash(content)}"


def short_hash(content: bytes) -> str:
    """The part of a name that changes with the content."""
    return hashlib.sha256(content).hexdigest()[:12]


@cache
def _installed() -> dict[str, str]:
    try:
        manifest: dict[str, str] = json.loads(MANIFEST.read_text())
    except FileNotFoundError:
        return {}
    return manifest
