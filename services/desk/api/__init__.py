"""The entry points of desk for people and programs: sessions, and cases."""

from services.desk.api.absence import router as absence
from services.desk.api.bulk import perform
from services.desk.api.bulk import router as bulk
from services.desk.api.cases import router as cases
from services.desk.api.described import router as described
from services.desk.api.drafts import router as drafts
from services.desk.api.incidents import router as incidents
from services.desk.api.record import router as record
from services.desk.api.session import router as session
from services.desk.api.similar import router as similar
from services.desk.api.viewers import router as viewers

__all__ = [
    "absence",
    "bulk",
    "cases",
    "described",
    "drafts",
    "incidents",
    "perform",
    "record",
    "session",
    "similar",
    "viewers",
]
