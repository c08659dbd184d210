"""Why a backup cannot be made, read or put back."""

from __future__ import annotations


class BackupError(RuntimeError):
    """One sentence for the person at the terminal, who has to change something."""
