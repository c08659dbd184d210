"""What `EXPRESS_EMBEDDINGS` may say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Source:
    """Where vectors come from: the model that comes as a package, a given server, or nowhere."""

    kind: Literal["builtin", "off", "given"]
    url: str = ""
    """Of a given server, up to and without ``/embeddings``."""
    model: str = ""


OFF = Source("off")


def parse_source(value: str) -> Source:
    """Read the setting. ValueError with one sentence where it cannot be used."""
    value = value.strip()
    if value in ("builtin", "off"):
        return Source("builtin" if value == "builtin" else "off")
    parts = urlsplit(value)
    model = parse_qs(parts.query).get("model", [""])[0]
    if parts.scheme not in ("http", "https") or not parts.hostname or not model:
        raise ValueError("must be builtin, off, or a server such as https://host/v1?model=bge-m3")
    if parts.username or parts.password or parts.fragment:
        raise ValueError("must be an address alone; a key goes into EXPRESS_EMBEDDINGS_KEY")
    _ = parts.port  # raises ValueError where it is none
    return Source("given", f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", model)
