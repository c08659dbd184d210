"""Which release this tree is, or is on the way to; ``python -m schemas release`` raises it."""

from __future__ import annotations

RELEASE = 4
"""Counts from 1. `schemas/README.md` says how a release is made."""
