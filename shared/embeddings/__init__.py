"""Meaning of texts as vectors, from whatever server `EXPRESS_EMBEDDINGS` names, or none."""

from shared.embeddings.breaker import CircuitBreaker
from shared.embeddings.client import Embedder, EmbedderAway, Vector
from shared.embeddings.source import Source, parse_source
from shared.embeddings.text import beginning

__all__ = [
    "CircuitBreaker",
    "Embedder",
    "EmbedderAway",
    "Source",
    "Vector",
    "beginning",
    "parse_source",
]
