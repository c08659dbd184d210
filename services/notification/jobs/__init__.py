"""Entry points of the clock: what waits in the ledger is sent, what was lost is found."""

from services.notification.jobs.sender import Sender

__all__ = ["Sender"]
